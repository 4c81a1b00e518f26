#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# run_task.sh member|distill: the body of both batch scripts. Runs candor-train, passes the warning before the time limit
# on to it, and puts a task that saved its checkpoint and stopped (exit 75) back into the queue.
#
# Environment: CANDOR_TRAIN (the program), CANDOR_CONFIG, CANDOR_RUN, CANDOR_MEMBERS; CANDOR_TRAIN_ARGS, further flags in
# one line, with quotes as in a shell and nothing expanded: --set 'epochs: 20'.
set -uo pipefail

say() { echo "run_task.sh: $*" >&2; }

for name in CANDOR_TRAIN CANDOR_CONFIG CANDOR_RUN CANDOR_MEMBERS SLURM_JOB_ID; do
  [[ -n ${!name:-} ]] || { say "$name: must be set; submit.sh does" && exit 78; }
done
further=()
if ! words=$(xargs printf '%s\n' <<<"${CANDOR_TRAIN_ARGS:-}"); then
  say "CANDOR_TRAIN_ARGS: must have balanced quotes, got $CANDOR_TRAIN_ARGS"
  exit 78
fi
[[ -z $words ]] || mapfile -t further <<<"$words"
# As many threads as CPUs were asked for, since not every cluster holds a job to them.
[[ -z ${SLURM_CPUS_PER_TASK:-} ]] || further=(--set "threads: $SLURM_CPUS_PER_TASK" "${further[@]}")
task=$SLURM_JOB_ID
[[ -z ${SLURM_ARRAY_JOB_ID:-} ]] || task=${SLURM_ARRAY_JOB_ID}_$SLURM_ARRAY_TASK_ID

# Two ways to be told to stop. Slurm warns this shell alone, with SIGUSR1, before the time limit. When it ends a job itself
# (pre-emption, scancel, scontrol requeue) SIGTERM reaches candor-train as well as this shell, which therefore must not pass
# it on: a second SIGTERM would end candor-train before its checkpoint is saved.
child='' warned=''
trap '[[ -z $child || -n $warned ]] || kill -TERM "$child" 2>/dev/null; warned=yes' USR1
trap : TERM

"$CANDOR_TRAIN" "$1" --config "$CANDOR_CONFIG" --run "$CANDOR_RUN" --of "$CANDOR_MEMBERS" "${further[@]}" &
child=$!
[[ -z $warned ]] || kill -TERM "$child" 2>/dev/null
# A signal ends a wait early, with a code of its own and, when it came just before, with no trace of it in a variable that
# its trap sets. The program's own code is what the shell kept for a child that is no more.
while kill -0 "$child" 2>/dev/null; do wait "$child"; done
wait "$child"
code=$?

# 143: stopped before it could catch SIGTERM; what it had saved before is still good.
if [[ $code -eq 75 || $code -eq 143 ]]; then
  # A job that Slurm ends itself is no longer RUNNING, and is Slurm's to requeue or, when cancelled, to leave.
  if [[ $(scontrol --oneliner show job "$SLURM_JOB_ID") == *" JobState=RUNNING "* ]]; then
    say "stopped; task $task goes back into the queue"
    scontrol requeue "$task" || say "task $task: not requeued; the same submission goes on where it stopped"
  fi
fi
exit "$code"
