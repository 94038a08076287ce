import type { Migration } from '../../../platform/db.ts'

/**
 * Keys of conversations are given before their commit, so that a reader who goes by them from the oldest to the newest could see one and
 * pass over a lower one that was still being made. Whoever takes a key holds a lock from before it has it to the end of its transaction,
 * shared with all others who do: it keeps nobody waiting, but tells who they are. A default sees to it wherever rows are inserted; an
 * identity can't have one.
 *
 * `settled_key` gives the newest key that can be seen, once all who were making conversations then are done: what they made has lower keys
 * or higher ones, and from now on whatever is up to that key can be seen. It waits for whole transactions, which take milliseconds;
 * one in which nothing has happened for 5 s is stuck, and keeps no list waiting, nor does any list wait for longer.
 *
 * The table is locked before the sequence is read: whoever is inserting goes on until then, and takes keys.
 */
export const keysToldWhileGiven: Migration = {
  name: '0015_keys_told_while_given',
  sql: `
    do $body$
    declare
      next_key bigint;
    begin
      lock table conversations.conversation in access exclusive mode;
      next_key := nextval(pg_get_serial_sequence('conversations.conversation', 'key'));
      alter table conversations.conversation alter key drop identity;
      execute format('create sequence conversations.conversation_key_seq start %s owned by conversations.conversation.key', next_key);
      alter table conversations.conversation alter key set default
        case when pg_try_advisory_xact_lock_shared(7461002) then nextval('conversations.conversation_key_seq') end;
    end
    $body$;

    -- those in whose transactions something has happened within the time; of others' processes that may not be known
    create function conversations.key_takers(patience interval) returns setof text language sql volatile as $function$
      select l.virtualtransaction
      from pg_locks l left join lateral pg_stat_get_activity(l.pid) taker on true
      where l.locktype = 'advisory' and l.classid = 0 and l.objid = 7461002 and l.objsubid = 1
        and l.database = (select d.oid from pg_database d where d.datname = current_database())
        and coalesce(taker.state_change > clock_timestamp() - patience, true)
    $function$;

    -- each of its statements sees what was committed before it
    create function conversations.settled_key() returns bigint language plpgsql volatile as $function$
    declare
      newest bigint;
      takers text[];
      patience constant interval := '5 seconds';
    begin
      select coalesce(max(c.key), 0) into newest from conversations.conversation c;
      takers := array(select conversations.key_takers(patience));
      while cardinality(takers) > 0 and clock_timestamp() < statement_timestamp() + patience loop
        perform pg_sleep(0.002);
        takers := array(select t from conversations.key_takers(patience) t where t = any(takers));
      end loop;
      return newest;
    end
    $function$;
  `,
}
