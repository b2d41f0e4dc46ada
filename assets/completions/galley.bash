# bash completion for galley; made by `galley completion bash`
_galley() {
  local cur=${COMP_WORDS[COMP_CWORD]} path= words= flags= objects= i
  for ((i = 1; i < COMP_CWORD; i++)); do
    case "${COMP_WORDS[i]}" in
      -H|--host|-c|--context|--config) ((i++)) ;;
      -*) ;;
      *)
        if [[ -z $path ]]; then path=${COMP_WORDS[i]}
        elif [[ " container image volume network system daemon " == *" $path "* ]]; then path="$path ${COMP_WORDS[i]}"
        fi ;;
    esac
  done
  if [[ -z $path ]]; then
    COMPREPLY=($(compgen -W "attach commit completion container create daemon diff events exec export history image images import info inspect kill load logs network pause port ps pull push rename restart rm rmi run save search start stats stop system tag top unpause update version volume wait --host --context --config --debug --version --help --snapshot" -- "$cur"))
    return
  fi
  case "$path" in
    "run"|"container run") flags="--name --hostname -h --domainname --label -l --label-file --annotation --cidfile --platform --pull --quiet -q --runtime --disable-content-trust --interactive -i --tty -t --attach -a --entrypoint --user -u --group-add --workdir -w --env -e --env-file --init --stop-signal --stop-timeout --restart --health-cmd --health-interval --health-timeout --health-retries --health-start-period --health-start-interval --no-healthcheck --log-driver --log-opt --publish -p --publish-all -P --expose --network --network-alias --ip --ip6 --link-local-ip --mac-address --link --add-host --dns --dns-option --dns-search --volume -v --mount --tmpfs --volumes-from --volume-driver --read-only --shm-size --storage-opt --memory -m --memory-reservation --memory-swap --memory-swappiness --cpus --cpu-shares -c --cpu-period --cpu-quota --cpu-rt-period --cpu-rt-runtime --cpuset-cpus --cpuset-mems --pids-limit --ulimit --blkio-weight --blkio-weight-device --device-read-bps --device-write-bps --device-read-iops --device-write-iops --oom-kill-disable --oom-score-adj --cgroup-parent --privileged --cap-add --cap-drop --security-opt --device --device-cgroup-rule --gpus --sysctl --cgroupns --ipc --pid --userns --uts --rm --detach -d --sig-proxy --detach-keys"; objects="galley images --format '{{.Repository}}:{{.Tag}}'" ;;
    "create"|"container create") flags="--name --hostname -h --domainname --label -l --label-file --annotation --cidfile --platform --pull --quiet -q --runtime --disable-content-trust --interactive -i --tty -t --attach -a --entrypoint --user -u --group-add --workdir -w --env -e --env-file --init --stop-signal --stop-timeout --restart --health-cmd --health-interval --health-timeout --health-retries --health-start-period --health-start-interval --no-healthcheck --log-driver --log-opt --publish -p --publish-all -P --expose --network --network-alias --ip --ip6 --link-local-ip --mac-address --link --add-host --dns --dns-option --dns-search --volume -v --mount --tmpfs --volumes-from --volume-driver --read-only --shm-size --storage-opt --memory -m --memory-reservation --memory-swap --memory-swappiness --cpus --cpu-shares -c --cpu-period --cpu-quota --cpu-rt-period --cpu-rt-runtime --cpuset-cpus --cpuset-mems --pids-limit --ulimit --blkio-weight --blkio-weight-device --device-read-bps --device-write-bps --device-read-iops --device-write-iops --oom-kill-disable --oom-score-adj --cgroup-parent --privileged --cap-add --cap-drop --security-opt --device --device-cgroup-rule --gpus --sysctl --cgroupns --ipc --pid --userns --uts --rm"; objects="galley images --format '{{.Repository}}:{{.Tag}}'" ;;
    "start"|"container start") flags="--attach -a --interactive -i --detach-keys"; objects="galley ps -a --format '{{.Names}}'" ;;
    "stop"|"container stop") flags="--timeout -t --signal -s"; objects="galley ps --format '{{.Names}}'" ;;
    "restart"|"container restart") flags="--timeout -t --signal -s"; objects="galley ps -a --format '{{.Names}}'" ;;
    "kill"|"container kill") flags="--signal -s"; objects="galley ps --format '{{.Names}}'" ;;
    "rm"|"container rm"|"container remove") flags="--force -f --volumes -v --link -l"; objects="galley ps -a --format '{{.Names}}'" ;;
    "ps"|"container ls"|"container ps"|"container list") flags="--all -a --filter -f --format --last -n --latest -l --no-trunc --quiet -q --size -s"; objects= ;;
    "logs"|"container logs") flags="--follow -f --tail -n --timestamps -t --since --until --details"; objects="galley ps -a --format '{{.Names}}'" ;;
    "exec"|"container exec") flags="--interactive -i --tty -t --detach -d --env -e --env-file --user -u --workdir -w --privileged --detach-keys"; objects="galley ps --format '{{.Names}}'" ;;
    "attach"|"container attach") flags="--detach-keys --no-stdin --sig-proxy"; objects="galley ps --format '{{.Names}}'" ;;
    "pause"|"container pause") flags=""; objects="galley ps --format '{{.Names}}'" ;;
    "unpause"|"container unpause") flags=""; objects="galley ps --format '{{.Names}}'" ;;
    "rename"|"container rename") flags=""; objects="galley ps -a --format '{{.Names}}'" ;;
    "top"|"container top") flags=""; objects="galley ps --format '{{.Names}}'" ;;
    "wait"|"container wait") flags=""; objects="galley ps --format '{{.Names}}'" ;;
    "port"|"container port") flags=""; objects="galley ps --format '{{.Names}}'" ;;
    "stats"|"container stats") flags="--all -a --format --no-stream --no-trunc"; objects="galley ps --format '{{.Names}}'" ;;
    "update"|"container update") flags="--restart --memory -m --memory-reservation --memory-swap --cpus --cpu-shares -c --cpu-period --cpu-quota --cpu-rt-period --cpu-rt-runtime --cpuset-cpus --cpuset-mems --pids-limit --blkio-weight"; objects="galley ps -a --format '{{.Names}}'" ;;
    "diff"|"container diff") flags=""; objects="galley ps -a --format '{{.Names}}'" ;;
    "commit"|"container commit") flags="--author -a --change -c --message -m --pause -p"; objects="galley ps -a --format '{{.Names}}'" ;;
    "export"|"container export") flags="--output -o"; objects="galley ps -a --format '{{.Names}}'" ;;
    "container prune") flags="--filter --force -f"; objects= ;;
    "network prune") flags="--filter --force -f"; objects= ;;
    "network connect") flags="--alias --driver-opt --gw-priority --ip --ip6 --link --link-local-ip"; objects="galley network ls --format '{{.Name}}'" ;;
    "network disconnect") flags="--force -f"; objects="galley network ls --format '{{.Name}}'" ;;
    "system df") flags="--format --verbose -v"; objects= ;;
    "system prune") flags="--all -a --filter --force -f --volumes"; objects= ;;
    "push"|"image push") flags="--all-tags -a --quiet -q"; objects="galley images --format '{{.Repository}}:{{.Tag}}'" ;;
    "save"|"image save") flags="--output -o"; objects="galley images --format '{{.Repository}}:{{.Tag}}'" ;;
    "load"|"image load") flags="--input -i --quiet -q"; objects= ;;
    "import"|"image import") flags="--change -c --message -m --platform"; objects= ;;
    "history"|"image history") flags="--format --human -H --no-trunc --quiet -q"; objects="galley images --format '{{.Repository}}:{{.Tag}}'" ;;
    "image prune") flags="--all -a --filter --force -f"; objects= ;;
    "system fsck") flags="--deep"; objects= ;;
    "search") flags="--filter -f --format --limit --no-trunc"; objects= ;;
    "images"|"image ls"|"image list") flags="--all -a --digests --filter -f --format --no-trunc --quiet -q"; objects="galley images --format '{{.Repository}}:{{.Tag}}'" ;;
    "pull"|"image pull") flags="--all-tags -a --platform --quiet -q"; objects= ;;
    "rmi"|"image rm"|"image remove") flags="--force -f --no-prune"; objects="galley images --format '{{.Repository}}:{{.Tag}}'" ;;
    "tag"|"image tag") flags=""; objects="galley images --format '{{.Repository}}:{{.Tag}}'" ;;
    "inspect") flags="--format -f --size -s --type"; objects="galley ps -a --format '{{.Names}}'" ;;
    "container inspect") flags="--format -f --size -s"; objects="galley ps -a --format '{{.Names}}'" ;;
    "image inspect") flags="--format -f"; objects="galley images --format '{{.Repository}}:{{.Tag}}'" ;;
    "volume create") flags="--driver -d --label --opt -o"; objects= ;;
    "volume ls"|"volume list") flags="--filter -f --format --quiet -q"; objects= ;;
    "volume inspect") flags="--format -f"; objects="galley volume ls -q" ;;
    "volume rm"|"volume remove") flags="--force -f"; objects="galley volume ls -q" ;;
    "volume prune") flags="--all -a --filter --force -f"; objects= ;;
    "network ls"|"network list") flags="--filter -f --format --no-trunc --quiet -q"; objects= ;;
    "network inspect") flags="--format -f --verbose -v"; objects="galley network ls --format '{{.Name}}'" ;;
    "network create") flags="--driver -d --subnet --gateway --ip-range --aux-address --ipam-driver --ipam-opt --internal --attachable --config-from --config-only --ingress --ipv4 --ipv6 --scope --label --opt -o"; objects= ;;
    "network rm"|"network remove") flags="--force -f"; objects="galley network ls --format '{{.Name}}'" ;;
    "events"|"system events") flags="--filter -f --format --since --until"; objects= ;;
    "info"|"system info") flags="--format -f"; objects= ;;
    "version") flags="--format -f"; objects= ;;
    "completion") flags=""; objects= ;;
    "daemon") flags="--data-root --exec-root --host -H --name --log-level -l --log-file --config --registry-mirror --insecure-registry --tlsverify --tlscacert --tlscert --tlskey --insecure-tcp --default-runtime --layer-driver --drop-layer-blobs --netns-pool"; objects= ;;
    "daemon start") flags="--data-root --exec-root --host -H --name --log-level -l --log-file --config --registry-mirror --insecure-registry --tlsverify --tlscacert --tlscert --tlskey --insecure-tcp --default-runtime --layer-driver --drop-layer-blobs --netns-pool"; objects= ;;
    "daemon stop") flags="--data-root --exec-root --host -H --name --log-level -l --log-file --config --registry-mirror --insecure-registry --tlsverify --tlscacert --tlscert --tlskey --insecure-tcp --default-runtime --layer-driver --drop-layer-blobs --netns-pool"; objects= ;;
    "daemon restart") flags="--data-root --exec-root --host -H --name --log-level -l --log-file --config --registry-mirror --insecure-registry --tlsverify --tlscacert --tlscert --tlskey --insecure-tcp --default-runtime --layer-driver --drop-layer-blobs --netns-pool"; objects= ;;
    "daemon status") flags="--data-root --exec-root --host -H --name --log-level -l --log-file --config --registry-mirror --insecure-registry --tlsverify --tlscacert --tlscert --tlskey --insecure-tcp --default-runtime --layer-driver --drop-layer-blobs --netns-pool"; objects= ;;
    "daemon install") flags="--data-root --exec-root --host -H --name --log-level -l --log-file --config --registry-mirror --insecure-registry --tlsverify --tlscacert --tlscert --tlskey --insecure-tcp --default-runtime --layer-driver --drop-layer-blobs --netns-pool"; objects= ;;
    "daemon uninstall") flags="--purge --force -f --data-root --exec-root --host -H --name --log-level -l --log-file --config --registry-mirror --insecure-registry --tlsverify --tlscacert --tlscert --tlskey --insecure-tcp --default-runtime --layer-driver --drop-layer-blobs --netns-pool"; objects= ;;
  esac
  case "$path" in
    container) words="attach commit create diff exec export inspect kill list logs ls pause port prune ps remove rename restart rm run start stats stop top unpause update wait" ;;
    image) words="history import inspect list load ls prune pull push remove rm save tag" ;;
    volume) words="create inspect list ls prune remove rm" ;;
    network) words="connect create disconnect inspect list ls prune remove rm" ;;
    system) words="df events fsck info prune" ;;
    daemon) words="install restart start status stop uninstall" ;;
  esac
  if [[ $cur == -* ]]; then
    COMPREPLY=($(compgen -W "$flags --help" -- "$cur"))
  else
    [[ -n $objects ]] && words="$words $(eval "$objects" 2>/dev/null)"
    COMPREPLY=($(compgen -W "$words" -- "$cur"))
  fi
}
complete -o default -F _galley galley
