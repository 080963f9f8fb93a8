-- mapservice_public reads the published schema and nothing else, whatever was granted before.

REVOKE ALL ON ALL TABLES IN SCHEMA register, account FROM PUBLIC, mapservice_public;
REVOKE ALL ON ALL FUNCTIONS IN SCHEMA register, account FROM PUBLIC, mapservice_public;
REVOKE ALL ON SCHEMA register, account FROM PUBLIC, mapservice_public;

GRANT USAGE ON SCHEMA published TO mapservice_public, mapservice_staff;
REVOKE ALL ON ALL TABLES IN SCHEMA published FROM PUBLIC, mapservice_public;
GRANT SELECT ON ALL TABLES IN SCHEMA published TO mapservice_public, mapservice_staff;
GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA published TO mapservice_public, mapservice_staff;
