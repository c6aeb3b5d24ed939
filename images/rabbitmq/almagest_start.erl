%% What RabbitMQ 4.0 lacks to come back from a SIGKILL at any moment.
-module(almagest_start).
-export([start/0]).

%% Called by `erl -s almagest_start` before the broker starts, so it may not wait here.
start() ->
    spawn(fun note_database/0),
    spawn(fun elect_all/0).

%% A node killed while it makes its database refuses to start ever after (schema_integrity_check_failed). So the
%% entrypoint begins anew where this file is missing; it is written before the first client gets in.
note_database() ->
    ok = rabbit_boot_state:wait_for(core_started, infinity),
    Home = os:getenv("HOME"),
    [] = os:cmd("sync --file-system '" ++ Home ++ "'"),
    ok = file:write_file(filename:join(Home, "database-made"), <<>>).

%% A queue's Raft member is found again through a register, `names.dets`, that is written out only when it has rested for
%% half a second. A broker killed before that starts the member anew: empty, in term 0, where a member calls no election
%% but waits for one, and whoever declares or reads the queue hangs (RabbitMQ's issue 15725). The archive can do without
%% the messages of a queue's first second, since job rows are the truth; it cannot do without the queue.
elect_all() ->
    ok = rabbit:await_startup(),
    lists:foreach(fun elect/1, rabbit_amqqueue:list_local_quorum_queues()).

%% Where other nodes have members too, an election is theirs to call.
elect(Queue) ->
    {Name, _} = amqqueue:get_pid(Queue),
    #{nodes := Nodes} = amqqueue:get_type_state(Queue),
    case {Nodes, ra_leaderboard:lookup_leader(Name)} of
        {[Only], undefined} when Only =:= node() -> ra:trigger_election({Name, Only});
        _ -> ok
    end.
