select * exclude (document_number, problem, item_path) from told_statuses where problem is null
