%% Gives a leader to quorum queues that would wait for one for ever (RabbitMQ 4.0 with ra 2.14; its issue 15725).
%%
%% A queue's Raft member is found again through a register, `names.dets`, that is written out only when it has rested for
%% half a second. A broker killed before that starts the member anew: empty, in term 0, where a member calls no election
%% but waits for one, and whoever declares or reads the queue hangs. The archive can do without the messages of a
%% queue's first second, since job rows are the truth; it cannot do without the queue.
-module(almagest_quorum).
-export([start/0]).

%% Called by `erl -s almagest_quorum` before the broker starts, so it may not wait here.
start() ->
    spawn(fun elect_all/0).

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
