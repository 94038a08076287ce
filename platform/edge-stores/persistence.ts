import type { Persistence } from '../persistence.ts'

/**
 * What the edge keeps in PostgreSQL: no graph data, but the state of HTTP itself.
 *
 * `claim_request` decides under the lock of the request's row, and looks at its log only once it has the lock: of two
 * that find an abandoned run one takes it over and the other reads that one's answer.
 */
export const edgePersistence: Persistence = {
  name: 'edge',
  entities: [],
  migrations: [
    {
      name: '0001_idempotency',
      sql: `
        create table edge.stream (
          id uuid primary key,
          state text not null default 'open' check (state in ('open', 'kept', 'spent', 'cut')),
          lease_until timestamptz not null,
          read_at timestamptz not null default clock_timestamp(),
          expires_at timestamptz not null
        );
        create index stream_expires_at on edge.stream (expires_at);

        create table edge.stream_part (
          stream_id uuid not null references edge.stream (id) on delete cascade,
          position bigint not null,
          bytes integer not null,
          sealed bytea not null,
          primary key (stream_id, position)
        );

        create table edge.idempotent_request (
          scope bytea primary key,
          fingerprint bytea not null,
          stream_id uuid not null references edge.stream (id) on delete cascade
        );
        create index idempotent_request_stream_id on edge.idempotent_request (stream_id);

        create function edge.claim_request(
          asked_scope bytea, asked_fingerprint bytea, new_run uuid, lease_seconds integer, kept_seconds integer
        ) returns table (outcome text, run uuid) language plpgsql rows 1 as $function$
        #variable_conflict use_variable
        declare
          known edge.idempotent_request;
          log edge.stream;
        begin
          loop
            select r.* into known from edge.idempotent_request r where r.scope = asked_scope for update;
            exit when found;
            insert into edge.stream (id, lease_until, expires_at) values (
              new_run,
              clock_timestamp() + make_interval(secs => lease_seconds),
              clock_timestamp() + make_interval(secs => kept_seconds)
            ) on conflict do nothing;
            insert into edge.idempotent_request (scope, fingerprint, stream_id)
            values (asked_scope, asked_fingerprint, new_run)
            on conflict do nothing;
            if found then
              outcome := 'claimed';
              run := new_run;
              return next;
              return;
            end if;
          end loop;

          select s.* into log from edge.stream s where s.id = known.stream_id for update;
          if log.state in ('spent', 'cut') or log.expires_at <= clock_timestamp()
            or (log.state = 'open' and log.lease_until <= clock_timestamp()) then
            update edge.stream s set state = 'cut' where s.id = log.id and s.state = 'open';
            insert into edge.stream (id, lease_until, expires_at) values (
              new_run,
              clock_timestamp() + make_interval(secs => lease_seconds),
              clock_timestamp() + make_interval(secs => kept_seconds)
            ) on conflict do nothing;
            update edge.idempotent_request r set fingerprint = asked_fingerprint, stream_id = new_run
            where r.scope = asked_scope;
            outcome := 'claimed';
            run := new_run;
          else
            delete from edge.stream s where s.id = new_run;
            outcome := case when known.fingerprint = asked_fingerprint then 'known' else 'conflict' end;
            run := known.stream_id;
          end if;
          return next;
        end
        $function$;
      `,
    },
    {
      // The columns that rate-limiter-flexible asks for. What it counts may be lost in a crash.
      name: '0002_rate_limits',
      sql: `
        create unlogged table edge.rate_limit (
          key varchar(255) primary key,
          points integer not null default 0,
          expire bigint
        );
        create index rate_limit_expire on edge.rate_limit (expire);
      `,
    },
  ],
}
