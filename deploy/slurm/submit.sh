#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# Trains an ensemble and its student on a Slurm cluster: a job array with one task for each member, and the distillation,
# which starts when all have succeeded. The same call again goes on with a run that failed or was cancelled.
#
#   submit.sh --config F --run DIR --members N [--train PATH] [--at-once K] [-- SBATCH OPTIONS...]
#
#   --config F    TrainerConfig as text proto; it and the data it names must be readable on the nodes
#   --run DIR     the run's folder, on a file system that the nodes share; made if it is not there
#   --members N   members of the ensemble, at least 2
#   --train PATH  candor-train as the nodes see it (default: the one in PATH)
#   --at-once K   members that train at the same time (default: as many as the cluster has room for)
#   -- ...        further options of sbatch for both jobs, e.g. -- --partition=gpu --gres=gpu:1 --time=12:00:00
#
# CANDOR_TRAIN_ARGS, if set, has further flags for candor-train: CANDOR_TRAIN_ARGS="--set 'epochs: 20'" submit.sh ...
#
# Prints one line, members=ID distillation=ID. The jobs' logs are DIR/slurm/member-ID_I.log and DIR/slurm/distill-ID.log.
# Exit codes: 0 submitted; 1 refused by Slurm, nothing is left in the queue; 2 usage; 69 no sbatch on this machine.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)

usage() {
  echo "submit.sh: $*" >&2
  exit 2
}

# number FLAG VALUE LEAST
number() { [[ $2 =~ ^[1-9][0-9]{0,5}$ && $2 -ge $3 ]] || usage "$1: must be an integer of at least $3, got '$2'"; }

read_arguments() {
  config='' run='' members='' at_once='' train=candor-train
  while [[ $# -gt 0 ]]; do
    case $1 in
      --config | --run | --members | --train | --at-once)
        [[ $# -ge 2 && -n $2 ]] || usage "$1: needs a value"
        local name=${1#--}
        printf -v "${name//-/_}" '%s' "$2"
        shift 2
        ;;
      --)
        shift
        sbatch_options=("$@")
        break
        ;;
      --help | -h)
        sed -n '4,/^set/{/^set/!s/^# \{0,1\}//p}' "${BASH_SOURCE[0]}"
        exit 0
        ;;
      *) usage "unknown argument '$1'; --help lists them" ;;
    esac
  done
}

# Checks them, and makes paths absolute.
check_arguments() {
  local name
  for name in config run members; do [[ -n ${!name} ]] || usage "--$name: must be given"; done
  number --members "$members" 2
  [[ -z $at_once ]] || number --at-once "$at_once" 1
  [[ -f $config && -r $config ]] || usage "--config: must be a file, got '$config'"
  config=$(realpath "$config")
  [[ -x $(type -P "$train") ]] || usage "--train: must be a program, got '$train'"
  train=$(realpath "$(type -P "$train")")
}

# submit OPTION... SCRIPT: prints the job's ID.
submit() {
  local answer
  # Ours come last, since sbatch takes the last of two.
  answer=$(sbatch "${sbatch_options[@]}" --parsable --export=ALL "$@") || return 1
  echo "${answer%%;*}"
}

sbatch_options=()
read_arguments "$@"
check_arguments
type -P sbatch >/dev/null || { echo "submit.sh: sbatch: no such program; is this a machine of the cluster?" >&2 && exit 69; }

mkdir -p "$run/slurm"
run=$(realpath "$run")
# sbatch replaces %a and the like in a log's name.
logs=${run//%/%%}/slurm
export CANDOR_SLURM=$here CANDOR_TRAIN=$train CANDOR_CONFIG=$config CANDOR_RUN=$run CANDOR_MEMBERS=$members

array=$(submit --array="0-$((members - 1))${at_once:+%$at_once}" --output="$logs/member-%A_%a.log" "$here/member.sbatch")
if ! distillation=$(submit --dependency="afterok:$array" --kill-on-invalid-dep=yes --output="$logs/distill-%j.log" \
  "$here/distill.sbatch"); then
  scancel "$array"
  exit 1
fi
echo "members=$array distillation=$distillation"
