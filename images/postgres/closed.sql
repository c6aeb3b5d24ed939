-- Functions that PostgreSQL lets everybody call and that no query of a visitor may: they undo a session's limits and role,
-- wait, lock, run SQL that comes as text, write where no grant is needed, or tell about the server and others' work.
-- The owner keeps them and may pass them on (`almagest-app migrate` does, to the roles that queries come under but do not
-- run under). Repeated at every start, for a release of PostgreSQL may bring new ones of these families.
DO $$
DECLARE
  open regprocedure;
BEGIN
  FOR open IN
    SELECT p.oid FROM pg_proc p
    WHERE p.proowner = 10 AND p.proname ~ ('^(set_config|current_setting|set_sphere_output.*|reset_sphere_output.*'
      '|pg_sleep.*|pg_(try_)?advisory_.*|pg_notify|pg_cancel_backend|pg_terminate_backend|pg_export_snapshot'
      '|(query|cursor|table|schema|database)_to_xml.*|ts_stat|ts_rewrite|lo_.*|loread|lowrite|pg_logical_emit_message'
      '|txid_current|pg_current_xact_id|pg_stat_get_activity|pg_stat_get_backend_.*|pg_listening_channels'
      '|version|inet_(server|client)_(addr|port)|pg_conf_load_time|pg_postmaster_start_time)$')
  LOOP
    EXECUTE format('REVOKE EXECUTE ON FUNCTION %s FROM PUBLIC', open);
    EXECUTE format('GRANT EXECUTE ON FUNCTION %s TO almagest WITH GRANT OPTION', open);
  END LOOP;
END $$;
