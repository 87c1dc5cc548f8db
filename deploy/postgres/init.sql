-- Run once by the PostgreSQL image, as its superuser, on an empty volume. Passwords come from the environment.
\getenv publisher_password POSTGRES_PUBLISHER_PASSWORD
\getenv reader_password POSTGRES_READER_PASSWORD
\getenv metabase_password POSTGRES_METABASE_PASSWORD

-- what salwa publishes: it alone may write, members of salwa_reader may read
create role salwa login password :'publisher_password';
create role salwa_reader nologin;
create role metabase_reader login password :'reader_password' in role salwa_reader;
create database salwa owner salwa;
revoke all on database salwa from public;
grant connect on database salwa to salwa_reader;

-- what Metabase itself keeps: users, questions, settings
create role metabase login password :'metabase_password';
create database metabase owner metabase;
revoke all on database metabase from public;
revoke connect on database postgres from public;
