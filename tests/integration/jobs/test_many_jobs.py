"""A hundred thousand jobs in the table: every statement of the application finds its rows through an index."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from support.application import Application

pytestmark = [pytest.mark.integration, pytest.mark.timeout(300)]

FILL = """
    INSERT INTO query_job (id, owner, user_id, table_name, phase, run_id, parameters, queue, execution_duration,
        created_at, queued_at, started_at, ended_at, destruction_at, attempt, error, error_is_transient, nrows, nbytes,
        overflow, columns, tables, uploads, uploaded)
    SELECT gen_random_uuid(), owner, NULL, CASE owner WHEN '' THEN '' ELSE 'many_' || n END,
        (ARRAY['COMPLETED', 'COMPLETED', 'COMPLETED', 'ERROR', 'ABORTED', 'ARCHIVED'])[1 + n % 6], 'many',
        jsonb_build_object('LANG', 'ADQL', 'QUERY', 'SELECT ' || repeat('ra, ', 50) || 'dec FROM gaiadr3.bright'),
        'short', 30, t, t, t, t, now() + interval '7 days', 1, '', false, 100, CASE WHEN n % 6 < 3 THEN 8192 END,
        false, '[]', '[]', '[]', 0
    FROM (SELECT n, now() - n * interval '1 second' AS t,
            CASE n % 4 WHEN 0 THEN '' WHEN 1 THEN 'almagest_s' || md5('many')
                ELSE 'almagest_s' || md5(n::text) END AS owner
          FROM generate_series(1, 100000) n) AS made
"""
EXPLAIN = """
import json, uuid
from datetime import timedelta
from django.db import connection
from django.utils import timezone
from almagest.accounts.identity import Identity, NOBODY
from almagest.adql import Translation
from almagest.query import quotas
from almagest.query.request import Wishes
from almagest.query.tables import jobtables
from almagest.query.uws import claims, jobs, recovery, sweep
from almagest.query.models import Job

seen = []
def watch(execute, statement, parameters, many, context):
    seen.append((statement, parameters))
    return execute(statement, parameters, many, context)

many = Identity(visitor="almagest_s" + "{digest}")
hour = timezone.now() - timedelta(hours=1)
with connection.execute_wrapper(watch):
    for asker in (many, NOBODY):
        job = jobs.create(asker, {{"LANG": "ADQL", "QUERY": "SELECT 1"}}, Wishes(start=True))
        jobs.find(job.pk, asker)
        claimed = claims.claim(job.queue)
        claims.ready(job.queue)
        claims.call_next(claimed)
        jobs.complete(claimed, Translation("", (), frozenset()), nrows=1, nbytes=8192, overflow=False)
        jobs.delete(job)
    for phases, after, last in (((), None, 10), (("COMPLETED",), None, 10), (("EXECUTING",), hour, None)):
        jobs.listed(many, phases, after, last)
    jobtables.own_tables(many, "SELECT * FROM tap_user.many_1")
    quotas.room(job)
    recovery.recover()
    recovery.expire()
    recovery.trim()
    assert len(list(sweep._without_jobs([f"almagest_s{{n:032x}}" for n in range(sweep.BATCH)]))) == sweep.BATCH

scans = []
def find(node, statement):
    if node["Node Type"] == "Seq Scan" and node["Relation Name"] == "query_job":
        scans.append(statement)
    for child in node.get("Plans", ()):
        find(child, statement)

asked = 0
with connection.cursor() as cursor:
    cursor.execute("SET enable_seqscan = on")
    for statement, parameters in seen:
        if '"query_job"' in statement and not statement.startswith("INSERT"):
            cursor.execute("EXPLAIN (FORMAT JSON) " + statement, parameters)
            find(cursor.fetchone()[0][0]["Plan"], statement)
            asked += 1
print(json.dumps([asked, sorted(set(scans))]))
"""


@pytest.fixture
def many(application: Application) -> Iterator[str]:
    """The digest in the name of the visitor who owns a quarter of them."""
    with application.app() as rows:
        rows.execute(FILL)
        rows.execute("VACUUM ANALYZE query_job")
        digest = rows.execute("SELECT md5('many')").fetchone()
    yield str(digest[0]) if digest else ""
    with application.app() as rows:
        rows.execute("DELETE FROM query_job WHERE run_id = 'many'")
        rows.execute("VACUUM ANALYZE query_job")


def test_no_statement_reads_the_whole_table_of_jobs(application: Application, many: str) -> None:
    done = application.run("shell", "-v", "0", "-c", EXPLAIN.format(digest=many))
    assert done.code == 0, done.err
    asked, scans = json.loads(done.out.splitlines()[-1])
    assert asked > 20
    assert scans == []
