-- Everything that stands where messages stand, notices and edits among them; dbt says which are messages.
select * exclude (document_number, notice, problem, item_path) from readable_messages
