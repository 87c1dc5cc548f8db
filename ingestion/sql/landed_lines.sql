select
    workspace,
    landing_file,
    landing_line,
    received_at,
    kind,
    account,
    body_sha256
from landed
