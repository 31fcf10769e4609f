-- The role of a web process that serves the host of clients only: their /portal/, /api/, /account/
-- and /language/, and the /info/ of their employees. It reads what these pages read and writes what
-- they write, whatever the code asks for: no hours, and neither who handed them in nor what a band
-- took from a card. On PostgreSQL, as owner of the tables and again after each migration:
--     psql "$DATABASE_URL" --set ON_ERROR_STOP=1 --file agency/client_role.sql
-- Then give the role a password or certificate and start that process with a DATABASE_URL of it.
DO $$ BEGIN CREATE ROLE discreet_client LOGIN; EXCEPTION WHEN duplicate_object THEN NULL; END $$;
REVOKE ALL ON ALL TABLES IN SCHEMA public FROM discreet_client;
GRANT USAGE ON SCHEMA public TO discreet_client;
GRANT SELECT ON
    agency_agency, agency_contact, agency_headcount, agency_invitation, agency_organisation,
    agency_user,
    advisors_assignment,
    workshops_cancellationrung, workshops_enrolment, workshops_offering, workshops_session,
    subscriptions_billedoccurrence, subscriptions_employeepage, subscriptions_indexedcontract,
    subscriptions_invoice, subscriptions_invoiceline, subscriptions_overagecredit, subscriptions_pause,
    subscriptions_priceband, subscriptions_pricebook, subscriptions_publication,
    subscriptions_publicationmail,
    subscriptions_purchaseorder, subscriptions_releasepolicy, subscriptions_statement,
    subscriptions_subscription, subscriptions_taxtreatment, subscriptions_terms,
    subscriptions_tierchangerequest, subscriptions_topupcard, subscriptions_yearprice,
    account_emailaddress, mfa_authenticator, cache, django_session,
    django_migrations, django_q_ormq, django_q_schedule  -- for /readyz
    TO discreet_client;
GRANT SELECT (id, user_id, code, phone, languages, provinces, capacity_quarters)
    ON advisors_advisor TO discreet_client;  -- not the particulars of their own firms
GRANT SELECT (id, invoice_id, until_on, ended_on) ON subscriptions_contest TO discreet_client;
GRANT SELECT (id, state) ON subscriptions_indexationrun TO discreet_client;
GRANT SELECT (invoice_id, received_on, amount_cents) ON subscriptions_receipt TO discreet_client;
GRANT SELECT (organisation_id, from_month, until_month)
    ON subscriptions_payer TO discreet_client;  -- that another one pays, not who

-- What signing in, a second step, the choice of a language, a request for another tier and the page
-- for employees write; and people whom a client invites, changes and removes, its orders and where its
-- invoices go. Deeds are noted, and read by staff alone. The queue and new accounts are a worker's.
-- Contacts sign in by a code: nobody's password is changed here.
GRANT INSERT, UPDATE, DELETE ON django_session, cache, mfa_authenticator TO discreet_client;
GRANT UPDATE (language, is_active) ON agency_user TO discreet_client;
GRANT INSERT, DELETE ON agency_contact TO discreet_client;
GRANT UPDATE (role, wants_publications, wants_invoices, wants_failed_payments, wants_sessions)
    ON agency_contact TO discreet_client;
GRANT INSERT, DELETE ON agency_invitation TO discreet_client;
GRANT DELETE ON subscriptions_publicationmail TO discreet_client;  -- goes with its contact
GRANT INSERT ON subscriptions_tierchangerequest, agency_auditevent TO discreet_client;
GRANT INSERT, UPDATE (token), DELETE ON subscriptions_employeepage TO discreet_client;
GRANT INSERT, UPDATE (until_month) ON subscriptions_purchaseorder TO discreet_client;
GRANT UPDATE (invoice_email, einvoice_email, einvoice_address, street, postcode, city)
    ON agency_organisation TO discreet_client;
GRANT UPDATE (id) ON subscriptions_subscription TO discreet_client;  -- to lock it, not to change it

-- Of accounts, those of contacts, and the names of the advisors that contacts are shown. A policy
-- without a role keeps all rows open to any other role that is not the owner.
ALTER TABLE agency_user ENABLE ROW LEVEL SECURITY;
ALTER TABLE mfa_authenticator ENABLE ROW LEVEL SECURITY;
ALTER TABLE agency_contact ENABLE ROW LEVEL SECURITY;
DROP POLICY IF EXISTS open_to_others ON agency_user;
DROP POLICY IF EXISTS open_to_others ON mfa_authenticator;
DROP POLICY IF EXISTS open_to_others ON agency_contact;
DROP POLICY IF EXISTS client_adds ON agency_contact;
DROP POLICY IF EXISTS client_reads ON agency_user;
DROP POLICY IF EXISTS client_changes ON agency_user;
DROP POLICY IF EXISTS client_uses ON mfa_authenticator;
CREATE POLICY open_to_others ON agency_user USING (true);
CREATE POLICY open_to_others ON mfa_authenticator USING (true);
CREATE POLICY open_to_others ON agency_contact USING (true);
CREATE POLICY client_reads ON agency_user AS RESTRICTIVE TO discreet_client
    USING (role IN ('contact', 'advisor'));
CREATE POLICY client_changes ON agency_user AS RESTRICTIVE FOR UPDATE TO discreet_client
    USING (role = 'contact');
CREATE POLICY client_uses ON mfa_authenticator AS RESTRICTIVE TO discreet_client
    USING (user_id IN (SELECT id FROM agency_user WHERE role = 'contact'));
CREATE POLICY client_adds ON agency_contact AS RESTRICTIVE FOR INSERT TO discreet_client
    WITH CHECK (user_id IN (SELECT id FROM agency_user WHERE role = 'contact'));
