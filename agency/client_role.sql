-- The role of a web process that serves clients only (/portal/, /account/ and /api/ of contacts):
-- it has no right to the hours, whatever the code asks for. On PostgreSQL, as owner of the tables
-- and again after each migration:
--     psql "$DATABASE_URL" --set ON_ERROR_STOP=1 --file agency/client_role.sql
-- Then give the role a password or certificate and start that process with a DATABASE_URL of it.
DO $$ BEGIN CREATE ROLE discreet_client LOGIN; EXCEPTION WHEN duplicate_object THEN NULL; END $$;
REVOKE ALL ON ALL TABLES IN SCHEMA public FROM discreet_client;
GRANT USAGE ON SCHEMA public TO discreet_client;
GRANT SELECT ON ALL TABLES IN SCHEMA public TO discreet_client;
REVOKE ALL ON
    advisors_drafthours, advisors_monthhours, advisors_hoursadjustment, advisors_monthsubmission,
    advisors_costrate
    FROM discreet_client;
-- What signing in, the choice of a language and a request for another tier write.
GRANT INSERT, UPDATE, DELETE ON
    django_session, cache, account_emailaddress, mfa_authenticator TO discreet_client;
GRANT UPDATE ON agency_user TO discreet_client;
GRANT INSERT ON subscriptions_tierchangerequest TO discreet_client;
GRANT UPDATE (id) ON subscriptions_subscription TO discreet_client;  -- to lock it, not to change it
