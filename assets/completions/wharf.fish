# Print an optspec for argparse to handle cmd's options that are independent of any subcommand.
function __fish_wharf_global_optspecs
    string join \n host= format= q/quiet config= no-color h/help V/version
end

function __fish_wharf_needs_command
    # Figure out if the current invocation already has a command.
    set -l cmd (commandline -opc)
    set -e cmd[1]
    argparse -s (__fish_wharf_global_optspecs) -- $cmd 2>/dev/null
    or return
    if set -q argv[1]
        # Also print the command, so this can be used to figure out what it is.
        echo $argv[1]
        return 1
    end
    return 0
end

function __fish_wharf_using_subcommand
    set -l cmd (__fish_wharf_needs_command)
    test -z "$cmd"
    and return 1
    contains -- $cmd[1] $argv
end

complete -c wharf -n "__fish_wharf_needs_command" -l host -d 'Engine to use: embedded, docker, podman, a URL, or a name from the config file' -r
complete -c wharf -n "__fish_wharf_needs_command" -l format -d 'Output: table or json (one object per line)' -r
complete -c wharf -n "__fish_wharf_needs_command" -l config -d 'Configuration file instead of the default one' -r
complete -c wharf -n "__fish_wharf_needs_command" -s q -l quiet -d 'Only ids, no progress'
complete -c wharf -n "__fish_wharf_needs_command" -l no-color -d 'No colours, as with NO_COLOR'
complete -c wharf -n "__fish_wharf_needs_command" -s h -l help -d 'Print help'
complete -c wharf -n "__fish_wharf_needs_command" -s V -l version -d 'Print version'
complete -c wharf -n "__fish_wharf_needs_command" -f -a "run" -d 'Create and start a container'
complete -c wharf -n "__fish_wharf_needs_command" -f -a "create" -d 'Create a container'
complete -c wharf -n "__fish_wharf_needs_command" -f -a "start" -d 'Start containers'
complete -c wharf -n "__fish_wharf_needs_command" -f -a "stop" -d 'Stop containers: signal, grace, kill'
complete -c wharf -n "__fish_wharf_needs_command" -f -a "restart" -d 'Stop containers and start them again'
complete -c wharf -n "__fish_wharf_needs_command" -f -a "kill" -d 'Send a signal to containers, KILL by default'
complete -c wharf -n "__fish_wharf_needs_command" -f -a "pause" -d 'Freeze all processes of containers'
complete -c wharf -n "__fish_wharf_needs_command" -f -a "unpause" -d 'Let paused containers go on'
complete -c wharf -n "__fish_wharf_needs_command" -f -a "rm" -d 'Remove containers'
complete -c wharf -n "__fish_wharf_needs_command" -f -a "rename" -d 'Give a container another name'
complete -c wharf -n "__fish_wharf_needs_command" -f -a "exec" -d 'Run a command in a running container'
complete -c wharf -n "__fish_wharf_needs_command" -f -a "attach" -d 'Connect to the input and output of a running container'
complete -c wharf -n "__fish_wharf_needs_command" -f -a "ps" -d 'List containers'
complete -c wharf -n "__fish_wharf_needs_command" -f -a "logs" -d 'Show what a container printed'
complete -c wharf -n "__fish_wharf_needs_command" -f -a "inspect" -d 'Show all there is to know, as Docker\'s JSON'
complete -c wharf -n "__fish_wharf_needs_command" -f -a "top" -d 'List the processes of a container'
complete -c wharf -n "__fish_wharf_needs_command" -f -a "wait" -d 'Wait until containers run, have exited or are gone'
complete -c wharf -n "__fish_wharf_needs_command" -f -a "events" -d 'Follow what happens on the host'
complete -c wharf -n "__fish_wharf_needs_command" -f -a "pull" -d 'Fetch images from their registries'
complete -c wharf -n "__fish_wharf_needs_command" -f -a "push" -d 'Send images to their registries'
complete -c wharf -n "__fish_wharf_needs_command" -f -a "images" -d 'List images'
complete -c wharf -n "__fish_wharf_needs_command" -f -a "rmi" -d 'Remove images'
complete -c wharf -n "__fish_wharf_needs_command" -f -a "tag" -d 'Give an image another reference'
complete -c wharf -n "__fish_wharf_needs_command" -f -a "history" -d 'Show how an image was made'
complete -c wharf -n "__fish_wharf_needs_command" -f -a "index" -d 'Work on multi-platform indexes in registries'
complete -c wharf -n "__fish_wharf_needs_command" -f -a "prune" -d 'Remove what nobody needs'
complete -c wharf -n "__fish_wharf_needs_command" -f -a "ui" -d 'Open the full-screen interface'
complete -c wharf -n "__fish_wharf_needs_command" -f -a "script" -d 'Run verbs from a file, one per line'
complete -c wharf -n "__fish_wharf_needs_command" -f -a "demo" -d 'Start a few harmless containers to try things on, without network'
complete -c wharf -n "__fish_wharf_needs_command" -f -a "system" -d 'Look after Wharf itself'
complete -c wharf -n "__fish_wharf_needs_command" -f -a "completion" -d 'Print the completion script for bash, zsh or fish'
complete -c wharf -n "__fish_wharf_needs_command" -f -a "version" -d 'Print the version'
complete -c wharf -n "__fish_wharf_using_subcommand run" -l name -d 'Name of the container' -r
complete -c wharf -n "__fish_wharf_using_subcommand run" -l entrypoint -d 'Replace the image\'s entrypoint; "" resets it' -r
complete -c wharf -n "__fish_wharf_using_subcommand run" -s e -l env -d 'Set a variable; KEY alone takes it from here' -r
complete -c wharf -n "__fish_wharf_using_subcommand run" -l env-file -d 'Read variables from a file' -r
complete -c wharf -n "__fish_wharf_using_subcommand run" -s w -l workdir -d 'Working directory inside' -r
complete -c wharf -n "__fish_wharf_using_subcommand run" -s u -l user -d 'User to run as' -r
complete -c wharf -n "__fish_wharf_using_subcommand run" -s h -l hostname -d 'Host name inside' -r
complete -c wharf -n "__fish_wharf_using_subcommand run" -s l -l label -d 'Attach a label' -r
complete -c wharf -n "__fish_wharf_using_subcommand run" -s v -l volume -d 'Mount a directory or a volume' -r
complete -c wharf -n "__fish_wharf_using_subcommand run" -l mount -d 'Mount, spelled out: type=bind,source=/srv,target=/www' -r
complete -c wharf -n "__fish_wharf_using_subcommand run" -l tmpfs -d 'Mount memory as a directory' -r
complete -c wharf -n "__fish_wharf_using_subcommand run" -s m -l memory -d 'Memory limit: 512m, 2g' -r
complete -c wharf -n "__fish_wharf_using_subcommand run" -l cpus -d 'Processor limit: 1.5' -r
complete -c wharf -n "__fish_wharf_using_subcommand run" -l pids-limit -d 'Process limit; -1 is none' -r
complete -c wharf -n "__fish_wharf_using_subcommand run" -l network -l net -d 'none (default) or host' -r
complete -c wharf -n "__fish_wharf_using_subcommand run" -s p -l publish -d 'Publish a port (needs a bridge network: not available yet)' -r
complete -c wharf -n "__fish_wharf_using_subcommand run" -l stop-signal -d 'Signal that asks it to end' -r
complete -c wharf -n "__fish_wharf_using_subcommand run" -l stop-timeout -d 'Grace between that signal and KILL' -r
complete -c wharf -n "__fish_wharf_using_subcommand run" -l pull -d 'Fetch the image: always, missing (default) or never' -r
complete -c wharf -n "__fish_wharf_using_subcommand run" -l platform -d 'Platform of the image' -r
complete -c wharf -n "__fish_wharf_using_subcommand run" -l host -d 'Engine to use: embedded, docker, podman, a URL, or a name from the config file' -r
complete -c wharf -n "__fish_wharf_using_subcommand run" -l format -d 'Output: table or json (one object per line)' -r
complete -c wharf -n "__fish_wharf_using_subcommand run" -l config -d 'Configuration file instead of the default one' -r
complete -c wharf -n "__fish_wharf_using_subcommand run" -s d -l detach -d 'Leave it in the background and print its id'
complete -c wharf -n "__fish_wharf_using_subcommand run" -l help -d 'Print help'
complete -c wharf -n "__fish_wharf_using_subcommand run" -s i -l interactive -d 'Keep standard input open'
complete -c wharf -n "__fish_wharf_using_subcommand run" -s t -l tty -d 'Give it a terminal'
complete -c wharf -n "__fish_wharf_using_subcommand run" -l rm -d 'Remove it when it ends'
complete -c wharf -n "__fish_wharf_using_subcommand run" -l read-only -d 'Make its root file system read-only'
complete -c wharf -n "__fish_wharf_using_subcommand run" -s q -l quiet -d 'Only ids, no progress'
complete -c wharf -n "__fish_wharf_using_subcommand run" -l no-color -d 'No colours, as with NO_COLOR'
complete -c wharf -n "__fish_wharf_using_subcommand create" -l name -d 'Name of the container' -r
complete -c wharf -n "__fish_wharf_using_subcommand create" -l entrypoint -d 'Replace the image\'s entrypoint; "" resets it' -r
complete -c wharf -n "__fish_wharf_using_subcommand create" -s e -l env -d 'Set a variable; KEY alone takes it from here' -r
complete -c wharf -n "__fish_wharf_using_subcommand create" -l env-file -d 'Read variables from a file' -r
complete -c wharf -n "__fish_wharf_using_subcommand create" -s w -l workdir -d 'Working directory inside' -r
complete -c wharf -n "__fish_wharf_using_subcommand create" -s u -l user -d 'User to run as' -r
complete -c wharf -n "__fish_wharf_using_subcommand create" -s h -l hostname -d 'Host name inside' -r
complete -c wharf -n "__fish_wharf_using_subcommand create" -s l -l label -d 'Attach a label' -r
complete -c wharf -n "__fish_wharf_using_subcommand create" -s v -l volume -d 'Mount a directory or a volume' -r
complete -c wharf -n "__fish_wharf_using_subcommand create" -l mount -d 'Mount, spelled out: type=bind,source=/srv,target=/www' -r
complete -c wharf -n "__fish_wharf_using_subcommand create" -l tmpfs -d 'Mount memory as a directory' -r
complete -c wharf -n "__fish_wharf_using_subcommand create" -s m -l memory -d 'Memory limit: 512m, 2g' -r
complete -c wharf -n "__fish_wharf_using_subcommand create" -l cpus -d 'Processor limit: 1.5' -r
complete -c wharf -n "__fish_wharf_using_subcommand create" -l pids-limit -d 'Process limit; -1 is none' -r
complete -c wharf -n "__fish_wharf_using_subcommand create" -l network -l net -d 'none (default) or host' -r
complete -c wharf -n "__fish_wharf_using_subcommand create" -s p -l publish -d 'Publish a port (needs a bridge network: not available yet)' -r
complete -c wharf -n "__fish_wharf_using_subcommand create" -l stop-signal -d 'Signal that asks it to end' -r
complete -c wharf -n "__fish_wharf_using_subcommand create" -l stop-timeout -d 'Grace between that signal and KILL' -r
complete -c wharf -n "__fish_wharf_using_subcommand create" -l pull -d 'Fetch the image: always, missing (default) or never' -r
complete -c wharf -n "__fish_wharf_using_subcommand create" -l platform -d 'Platform of the image' -r
complete -c wharf -n "__fish_wharf_using_subcommand create" -l host -d 'Engine to use: embedded, docker, podman, a URL, or a name from the config file' -r
complete -c wharf -n "__fish_wharf_using_subcommand create" -l format -d 'Output: table or json (one object per line)' -r
complete -c wharf -n "__fish_wharf_using_subcommand create" -l config -d 'Configuration file instead of the default one' -r
complete -c wharf -n "__fish_wharf_using_subcommand create" -l help -d 'Print help'
complete -c wharf -n "__fish_wharf_using_subcommand create" -s i -l interactive -d 'Keep standard input open'
complete -c wharf -n "__fish_wharf_using_subcommand create" -s t -l tty -d 'Give it a terminal'
complete -c wharf -n "__fish_wharf_using_subcommand create" -l rm -d 'Remove it when it ends'
complete -c wharf -n "__fish_wharf_using_subcommand create" -l read-only -d 'Make its root file system read-only'
complete -c wharf -n "__fish_wharf_using_subcommand create" -s q -l quiet -d 'Only ids, no progress'
complete -c wharf -n "__fish_wharf_using_subcommand create" -l no-color -d 'No colours, as with NO_COLOR'
complete -c wharf -n "__fish_wharf_using_subcommand start" -l host -d 'Engine to use: embedded, docker, podman, a URL, or a name from the config file' -r
complete -c wharf -n "__fish_wharf_using_subcommand start" -l format -d 'Output: table or json (one object per line)' -r
complete -c wharf -n "__fish_wharf_using_subcommand start" -l config -d 'Configuration file instead of the default one' -r
complete -c wharf -n "__fish_wharf_using_subcommand start" -s a -l attach -d 'Show its output and pass on its exit code'
complete -c wharf -n "__fish_wharf_using_subcommand start" -s i -l interactive -d 'Also pass on standard input'
complete -c wharf -n "__fish_wharf_using_subcommand start" -s q -l quiet -d 'Only ids, no progress'
complete -c wharf -n "__fish_wharf_using_subcommand start" -l no-color -d 'No colours, as with NO_COLOR'
complete -c wharf -n "__fish_wharf_using_subcommand start" -s h -l help -d 'Print help'
complete -c wharf -n "__fish_wharf_using_subcommand stop" -s t -l time -d 'Grace between the signal and KILL' -r
complete -c wharf -n "__fish_wharf_using_subcommand stop" -s s -l signal -d 'Signal that asks it to end' -r
complete -c wharf -n "__fish_wharf_using_subcommand stop" -l host -d 'Engine to use: embedded, docker, podman, a URL, or a name from the config file' -r
complete -c wharf -n "__fish_wharf_using_subcommand stop" -l format -d 'Output: table or json (one object per line)' -r
complete -c wharf -n "__fish_wharf_using_subcommand stop" -l config -d 'Configuration file instead of the default one' -r
complete -c wharf -n "__fish_wharf_using_subcommand stop" -s q -l quiet -d 'Only ids, no progress'
complete -c wharf -n "__fish_wharf_using_subcommand stop" -l no-color -d 'No colours, as with NO_COLOR'
complete -c wharf -n "__fish_wharf_using_subcommand stop" -s h -l help -d 'Print help'
complete -c wharf -n "__fish_wharf_using_subcommand restart" -s t -l time -d 'Grace between the signal and KILL' -r
complete -c wharf -n "__fish_wharf_using_subcommand restart" -s s -l signal -d 'Signal that asks it to end' -r
complete -c wharf -n "__fish_wharf_using_subcommand restart" -l host -d 'Engine to use: embedded, docker, podman, a URL, or a name from the config file' -r
complete -c wharf -n "__fish_wharf_using_subcommand restart" -l format -d 'Output: table or json (one object per line)' -r
complete -c wharf -n "__fish_wharf_using_subcommand restart" -l config -d 'Configuration file instead of the default one' -r
complete -c wharf -n "__fish_wharf_using_subcommand restart" -s q -l quiet -d 'Only ids, no progress'
complete -c wharf -n "__fish_wharf_using_subcommand restart" -l no-color -d 'No colours, as with NO_COLOR'
complete -c wharf -n "__fish_wharf_using_subcommand restart" -s h -l help -d 'Print help'
complete -c wharf -n "__fish_wharf_using_subcommand kill" -s s -l signal -d 'Signal to send instead of KILL' -r
complete -c wharf -n "__fish_wharf_using_subcommand kill" -l host -d 'Engine to use: embedded, docker, podman, a URL, or a name from the config file' -r
complete -c wharf -n "__fish_wharf_using_subcommand kill" -l format -d 'Output: table or json (one object per line)' -r
complete -c wharf -n "__fish_wharf_using_subcommand kill" -l config -d 'Configuration file instead of the default one' -r
complete -c wharf -n "__fish_wharf_using_subcommand kill" -s q -l quiet -d 'Only ids, no progress'
complete -c wharf -n "__fish_wharf_using_subcommand kill" -l no-color -d 'No colours, as with NO_COLOR'
complete -c wharf -n "__fish_wharf_using_subcommand kill" -s h -l help -d 'Print help'
complete -c wharf -n "__fish_wharf_using_subcommand pause" -l host -d 'Engine to use: embedded, docker, podman, a URL, or a name from the config file' -r
complete -c wharf -n "__fish_wharf_using_subcommand pause" -l format -d 'Output: table or json (one object per line)' -r
complete -c wharf -n "__fish_wharf_using_subcommand pause" -l config -d 'Configuration file instead of the default one' -r
complete -c wharf -n "__fish_wharf_using_subcommand pause" -s q -l quiet -d 'Only ids, no progress'
complete -c wharf -n "__fish_wharf_using_subcommand pause" -l no-color -d 'No colours, as with NO_COLOR'
complete -c wharf -n "__fish_wharf_using_subcommand pause" -s h -l help -d 'Print help'
complete -c wharf -n "__fish_wharf_using_subcommand unpause" -l host -d 'Engine to use: embedded, docker, podman, a URL, or a name from the config file' -r
complete -c wharf -n "__fish_wharf_using_subcommand unpause" -l format -d 'Output: table or json (one object per line)' -r
complete -c wharf -n "__fish_wharf_using_subcommand unpause" -l config -d 'Configuration file instead of the default one' -r
complete -c wharf -n "__fish_wharf_using_subcommand unpause" -s q -l quiet -d 'Only ids, no progress'
complete -c wharf -n "__fish_wharf_using_subcommand unpause" -l no-color -d 'No colours, as with NO_COLOR'
complete -c wharf -n "__fish_wharf_using_subcommand unpause" -s h -l help -d 'Print help'
complete -c wharf -n "__fish_wharf_using_subcommand rm" -l host -d 'Engine to use: embedded, docker, podman, a URL, or a name from the config file' -r
complete -c wharf -n "__fish_wharf_using_subcommand rm" -l format -d 'Output: table or json (one object per line)' -r
complete -c wharf -n "__fish_wharf_using_subcommand rm" -l config -d 'Configuration file instead of the default one' -r
complete -c wharf -n "__fish_wharf_using_subcommand rm" -s f -l force -d 'Kill a running one first; nothing there is fine'
complete -c wharf -n "__fish_wharf_using_subcommand rm" -s v -l volumes -d 'Also remove its anonymous volumes'
complete -c wharf -n "__fish_wharf_using_subcommand rm" -s q -l quiet -d 'Only ids, no progress'
complete -c wharf -n "__fish_wharf_using_subcommand rm" -l no-color -d 'No colours, as with NO_COLOR'
complete -c wharf -n "__fish_wharf_using_subcommand rm" -s h -l help -d 'Print help'
complete -c wharf -n "__fish_wharf_using_subcommand rename" -l host -d 'Engine to use: embedded, docker, podman, a URL, or a name from the config file' -r
complete -c wharf -n "__fish_wharf_using_subcommand rename" -l format -d 'Output: table or json (one object per line)' -r
complete -c wharf -n "__fish_wharf_using_subcommand rename" -l config -d 'Configuration file instead of the default one' -r
complete -c wharf -n "__fish_wharf_using_subcommand rename" -s q -l quiet -d 'Only ids, no progress'
complete -c wharf -n "__fish_wharf_using_subcommand rename" -l no-color -d 'No colours, as with NO_COLOR'
complete -c wharf -n "__fish_wharf_using_subcommand rename" -s h -l help -d 'Print help'
complete -c wharf -n "__fish_wharf_using_subcommand exec" -s u -l user -d 'User to run as' -r
complete -c wharf -n "__fish_wharf_using_subcommand exec" -s w -l workdir -d 'Working directory inside' -r
complete -c wharf -n "__fish_wharf_using_subcommand exec" -s e -l env -d 'Set a variable; KEY alone takes it from here' -r
complete -c wharf -n "__fish_wharf_using_subcommand exec" -l env-file -d 'Read variables from a file' -r
complete -c wharf -n "__fish_wharf_using_subcommand exec" -l host -d 'Engine to use: embedded, docker, podman, a URL, or a name from the config file' -r
complete -c wharf -n "__fish_wharf_using_subcommand exec" -l format -d 'Output: table or json (one object per line)' -r
complete -c wharf -n "__fish_wharf_using_subcommand exec" -l config -d 'Configuration file instead of the default one' -r
complete -c wharf -n "__fish_wharf_using_subcommand exec" -s i -l interactive -d 'Pass on standard input'
complete -c wharf -n "__fish_wharf_using_subcommand exec" -s t -l tty -d 'Give it a terminal'
complete -c wharf -n "__fish_wharf_using_subcommand exec" -s d -l detach -d 'Leave it in the background'
complete -c wharf -n "__fish_wharf_using_subcommand exec" -s q -l quiet -d 'Only ids, no progress'
complete -c wharf -n "__fish_wharf_using_subcommand exec" -l no-color -d 'No colours, as with NO_COLOR'
complete -c wharf -n "__fish_wharf_using_subcommand exec" -s h -l help -d 'Print help'
complete -c wharf -n "__fish_wharf_using_subcommand attach" -l host -d 'Engine to use: embedded, docker, podman, a URL, or a name from the config file' -r
complete -c wharf -n "__fish_wharf_using_subcommand attach" -l format -d 'Output: table or json (one object per line)' -r
complete -c wharf -n "__fish_wharf_using_subcommand attach" -l config -d 'Configuration file instead of the default one' -r
complete -c wharf -n "__fish_wharf_using_subcommand attach" -l no-stdin -d 'Only watch'
complete -c wharf -n "__fish_wharf_using_subcommand attach" -s q -l quiet -d 'Only ids, no progress'
complete -c wharf -n "__fish_wharf_using_subcommand attach" -l no-color -d 'No colours, as with NO_COLOR'
complete -c wharf -n "__fish_wharf_using_subcommand attach" -s h -l help -d 'Print help'
complete -c wharf -n "__fish_wharf_using_subcommand ps" -s f -l filter -d 'Only matching ones: name, id, status, label, ancestor, exited' -r
complete -c wharf -n "__fish_wharf_using_subcommand ps" -s n -l last -d 'The newest so many, whatever their status' -r
complete -c wharf -n "__fish_wharf_using_subcommand ps" -l host -d 'Engine to use: embedded, docker, podman, a URL, or a name from the config file' -r
complete -c wharf -n "__fish_wharf_using_subcommand ps" -l format -d 'Output: table or json (one object per line)' -r
complete -c wharf -n "__fish_wharf_using_subcommand ps" -l config -d 'Configuration file instead of the default one' -r
complete -c wharf -n "__fish_wharf_using_subcommand ps" -s a -l all -d 'Also those that do not run'
complete -c wharf -n "__fish_wharf_using_subcommand ps" -s l -l latest -d 'The newest one'
complete -c wharf -n "__fish_wharf_using_subcommand ps" -s s -l size -d 'Also how much they wrote'
complete -c wharf -n "__fish_wharf_using_subcommand ps" -l no-trunc -d 'Whole ids and commands'
complete -c wharf -n "__fish_wharf_using_subcommand ps" -s q -l quiet -d 'Only ids, no progress'
complete -c wharf -n "__fish_wharf_using_subcommand ps" -l no-color -d 'No colours, as with NO_COLOR'
complete -c wharf -n "__fish_wharf_using_subcommand ps" -s h -l help -d 'Print help'
complete -c wharf -n "__fish_wharf_using_subcommand logs" -s n -l tail -d 'Only the last so many lines, or all' -r
complete -c wharf -n "__fish_wharf_using_subcommand logs" -l since -d 'Not before: 10m, 1h30m, 2026-01-31T12:00:00Z' -r
complete -c wharf -n "__fish_wharf_using_subcommand logs" -l until -d 'Not after' -r
complete -c wharf -n "__fish_wharf_using_subcommand logs" -l host -d 'Engine to use: embedded, docker, podman, a URL, or a name from the config file' -r
complete -c wharf -n "__fish_wharf_using_subcommand logs" -l format -d 'Output: table or json (one object per line)' -r
complete -c wharf -n "__fish_wharf_using_subcommand logs" -l config -d 'Configuration file instead of the default one' -r
complete -c wharf -n "__fish_wharf_using_subcommand logs" -s f -l follow -d 'Stay and show new lines'
complete -c wharf -n "__fish_wharf_using_subcommand logs" -s t -l timestamps -d 'Each line\'s time before it'
complete -c wharf -n "__fish_wharf_using_subcommand logs" -l raw -d 'Control characters as they are, even on a terminal'
complete -c wharf -n "__fish_wharf_using_subcommand logs" -s q -l quiet -d 'Only ids, no progress'
complete -c wharf -n "__fish_wharf_using_subcommand logs" -l no-color -d 'No colours, as with NO_COLOR'
complete -c wharf -n "__fish_wharf_using_subcommand logs" -s h -l help -d 'Print help'
complete -c wharf -n "__fish_wharf_using_subcommand inspect" -l type -d 'Only look for: container or image' -r
complete -c wharf -n "__fish_wharf_using_subcommand inspect" -s f -r
complete -c wharf -n "__fish_wharf_using_subcommand inspect" -l host -d 'Engine to use: embedded, docker, podman, a URL, or a name from the config file' -r
complete -c wharf -n "__fish_wharf_using_subcommand inspect" -l format -d 'Output: table or json (one object per line)' -r
complete -c wharf -n "__fish_wharf_using_subcommand inspect" -l config -d 'Configuration file instead of the default one' -r
complete -c wharf -n "__fish_wharf_using_subcommand inspect" -s q -l quiet -d 'Only ids, no progress'
complete -c wharf -n "__fish_wharf_using_subcommand inspect" -l no-color -d 'No colours, as with NO_COLOR'
complete -c wharf -n "__fish_wharf_using_subcommand inspect" -s h -l help -d 'Print help'
complete -c wharf -n "__fish_wharf_using_subcommand top" -l host -d 'Engine to use: embedded, docker, podman, a URL, or a name from the config file' -r
complete -c wharf -n "__fish_wharf_using_subcommand top" -l format -d 'Output: table or json (one object per line)' -r
complete -c wharf -n "__fish_wharf_using_subcommand top" -l config -d 'Configuration file instead of the default one' -r
complete -c wharf -n "__fish_wharf_using_subcommand top" -s q -l quiet -d 'Only ids, no progress'
complete -c wharf -n "__fish_wharf_using_subcommand top" -l no-color -d 'No colours, as with NO_COLOR'
complete -c wharf -n "__fish_wharf_using_subcommand top" -s h -l help -d 'Print help'
complete -c wharf -n "__fish_wharf_using_subcommand wait" -l for -d 'running, exited (default) or removed' -r
complete -c wharf -n "__fish_wharf_using_subcommand wait" -l timeout -d 'Give up after that long (exit code 124)' -r
complete -c wharf -n "__fish_wharf_using_subcommand wait" -l host -d 'Engine to use: embedded, docker, podman, a URL, or a name from the config file' -r
complete -c wharf -n "__fish_wharf_using_subcommand wait" -l format -d 'Output: table or json (one object per line)' -r
complete -c wharf -n "__fish_wharf_using_subcommand wait" -l config -d 'Configuration file instead of the default one' -r
complete -c wharf -n "__fish_wharf_using_subcommand wait" -s q -l quiet -d 'Only ids, no progress'
complete -c wharf -n "__fish_wharf_using_subcommand wait" -l no-color -d 'No colours, as with NO_COLOR'
complete -c wharf -n "__fish_wharf_using_subcommand wait" -s h -l help -d 'Print help'
complete -c wharf -n "__fish_wharf_using_subcommand events" -l since -d 'Begin with what happened then' -r
complete -c wharf -n "__fish_wharf_using_subcommand events" -l until -d 'End there' -r
complete -c wharf -n "__fish_wharf_using_subcommand events" -s f -l filter -d 'Only matching ones: container, image, event, type' -r
complete -c wharf -n "__fish_wharf_using_subcommand events" -l host -d 'Engine to use: embedded, docker, podman, a URL, or a name from the config file' -r
complete -c wharf -n "__fish_wharf_using_subcommand events" -l format -d 'Output: table or json (one object per line)' -r
complete -c wharf -n "__fish_wharf_using_subcommand events" -l config -d 'Configuration file instead of the default one' -r
complete -c wharf -n "__fish_wharf_using_subcommand events" -s q -l quiet -d 'Only ids, no progress'
complete -c wharf -n "__fish_wharf_using_subcommand events" -l no-color -d 'No colours, as with NO_COLOR'
complete -c wharf -n "__fish_wharf_using_subcommand events" -s h -l help -d 'Print help'
complete -c wharf -n "__fish_wharf_using_subcommand pull" -l platform -d 'Another platform than this host\'s' -r
complete -c wharf -n "__fish_wharf_using_subcommand pull" -l host -d 'Engine to use: embedded, docker, podman, a URL, or a name from the config file' -r
complete -c wharf -n "__fish_wharf_using_subcommand pull" -l format -d 'Output: table or json (one object per line)' -r
complete -c wharf -n "__fish_wharf_using_subcommand pull" -l config -d 'Configuration file instead of the default one' -r
complete -c wharf -n "__fish_wharf_using_subcommand pull" -s q -l quiet -d 'Only ids, no progress'
complete -c wharf -n "__fish_wharf_using_subcommand pull" -l no-color -d 'No colours, as with NO_COLOR'
complete -c wharf -n "__fish_wharf_using_subcommand pull" -s h -l help -d 'Print help'
complete -c wharf -n "__fish_wharf_using_subcommand push" -l host -d 'Engine to use: embedded, docker, podman, a URL, or a name from the config file' -r
complete -c wharf -n "__fish_wharf_using_subcommand push" -l format -d 'Output: table or json (one object per line)' -r
complete -c wharf -n "__fish_wharf_using_subcommand push" -l config -d 'Configuration file instead of the default one' -r
complete -c wharf -n "__fish_wharf_using_subcommand push" -s q -l quiet -d 'Only ids, no progress'
complete -c wharf -n "__fish_wharf_using_subcommand push" -l no-color -d 'No colours, as with NO_COLOR'
complete -c wharf -n "__fish_wharf_using_subcommand push" -s h -l help -d 'Print help'
complete -c wharf -n "__fish_wharf_using_subcommand images" -s f -l filter -d 'Only matching ones: reference, dangling' -r
complete -c wharf -n "__fish_wharf_using_subcommand images" -l host -d 'Engine to use: embedded, docker, podman, a URL, or a name from the config file' -r
complete -c wharf -n "__fish_wharf_using_subcommand images" -l format -d 'Output: table or json (one object per line)' -r
complete -c wharf -n "__fish_wharf_using_subcommand images" -l config -d 'Configuration file instead of the default one' -r
complete -c wharf -n "__fish_wharf_using_subcommand images" -s a -l all -d 'Accepted for Docker\'s sake; there are no hidden images'
complete -c wharf -n "__fish_wharf_using_subcommand images" -l digests -d 'Also the digests they were pulled by'
complete -c wharf -n "__fish_wharf_using_subcommand images" -l no-trunc -d 'Whole ids'
complete -c wharf -n "__fish_wharf_using_subcommand images" -s q -l quiet -d 'Only ids, no progress'
complete -c wharf -n "__fish_wharf_using_subcommand images" -l no-color -d 'No colours, as with NO_COLOR'
complete -c wharf -n "__fish_wharf_using_subcommand images" -s h -l help -d 'Print help'
complete -c wharf -n "__fish_wharf_using_subcommand rmi" -l host -d 'Engine to use: embedded, docker, podman, a URL, or a name from the config file' -r
complete -c wharf -n "__fish_wharf_using_subcommand rmi" -l format -d 'Output: table or json (one object per line)' -r
complete -c wharf -n "__fish_wharf_using_subcommand rmi" -l config -d 'Configuration file instead of the default one' -r
complete -c wharf -n "__fish_wharf_using_subcommand rmi" -s f -l force -d 'Also when stopped containers use them'
complete -c wharf -n "__fish_wharf_using_subcommand rmi" -s q -l quiet -d 'Only ids, no progress'
complete -c wharf -n "__fish_wharf_using_subcommand rmi" -l no-color -d 'No colours, as with NO_COLOR'
complete -c wharf -n "__fish_wharf_using_subcommand rmi" -s h -l help -d 'Print help'
complete -c wharf -n "__fish_wharf_using_subcommand tag" -l host -d 'Engine to use: embedded, docker, podman, a URL, or a name from the config file' -r
complete -c wharf -n "__fish_wharf_using_subcommand tag" -l format -d 'Output: table or json (one object per line)' -r
complete -c wharf -n "__fish_wharf_using_subcommand tag" -l config -d 'Configuration file instead of the default one' -r
complete -c wharf -n "__fish_wharf_using_subcommand tag" -s q -l quiet -d 'Only ids, no progress'
complete -c wharf -n "__fish_wharf_using_subcommand tag" -l no-color -d 'No colours, as with NO_COLOR'
complete -c wharf -n "__fish_wharf_using_subcommand tag" -s h -l help -d 'Print help'
complete -c wharf -n "__fish_wharf_using_subcommand history" -l host -d 'Engine to use: embedded, docker, podman, a URL, or a name from the config file' -r
complete -c wharf -n "__fish_wharf_using_subcommand history" -l format -d 'Output: table or json (one object per line)' -r
complete -c wharf -n "__fish_wharf_using_subcommand history" -l config -d 'Configuration file instead of the default one' -r
complete -c wharf -n "__fish_wharf_using_subcommand history" -l no-trunc -d 'Whole commands and ids'
complete -c wharf -n "__fish_wharf_using_subcommand history" -s q -l quiet -d 'Only ids, no progress'
complete -c wharf -n "__fish_wharf_using_subcommand history" -l no-color -d 'No colours, as with NO_COLOR'
complete -c wharf -n "__fish_wharf_using_subcommand history" -s h -l help -d 'Print help'
complete -c wharf -n "__fish_wharf_using_subcommand index; and not __fish_seen_subcommand_from create" -l host -d 'Engine to use: embedded, docker, podman, a URL, or a name from the config file' -r
complete -c wharf -n "__fish_wharf_using_subcommand index; and not __fish_seen_subcommand_from create" -l format -d 'Output: table or json (one object per line)' -r
complete -c wharf -n "__fish_wharf_using_subcommand index; and not __fish_seen_subcommand_from create" -l config -d 'Configuration file instead of the default one' -r
complete -c wharf -n "__fish_wharf_using_subcommand index; and not __fish_seen_subcommand_from create" -s q -l quiet -d 'Only ids, no progress'
complete -c wharf -n "__fish_wharf_using_subcommand index; and not __fish_seen_subcommand_from create" -l no-color -d 'No colours, as with NO_COLOR'
complete -c wharf -n "__fish_wharf_using_subcommand index; and not __fish_seen_subcommand_from create" -s h -l help -d 'Print help'
complete -c wharf -n "__fish_wharf_using_subcommand index; and not __fish_seen_subcommand_from create" -f -a "create" -d 'Join images into one multi-platform index in a registry'
complete -c wharf -n "__fish_wharf_using_subcommand index; and __fish_seen_subcommand_from create" -s t -l tag -d 'Where to put it; several are fine' -r
complete -c wharf -n "__fish_wharf_using_subcommand index; and __fish_seen_subcommand_from create" -l host -d 'Engine to use: embedded, docker, podman, a URL, or a name from the config file' -r
complete -c wharf -n "__fish_wharf_using_subcommand index; and __fish_seen_subcommand_from create" -l format -d 'Output: table or json (one object per line)' -r
complete -c wharf -n "__fish_wharf_using_subcommand index; and __fish_seen_subcommand_from create" -l config -d 'Configuration file instead of the default one' -r
complete -c wharf -n "__fish_wharf_using_subcommand index; and __fish_seen_subcommand_from create" -s q -l quiet -d 'Only ids, no progress'
complete -c wharf -n "__fish_wharf_using_subcommand index; and __fish_seen_subcommand_from create" -l no-color -d 'No colours, as with NO_COLOR'
complete -c wharf -n "__fish_wharf_using_subcommand index; and __fish_seen_subcommand_from create" -s h -l help -d 'Print help'
complete -c wharf -n "__fish_wharf_using_subcommand prune; and not __fish_seen_subcommand_from containers images" -l host -d 'Engine to use: embedded, docker, podman, a URL, or a name from the config file' -r
complete -c wharf -n "__fish_wharf_using_subcommand prune; and not __fish_seen_subcommand_from containers images" -l format -d 'Output: table or json (one object per line)' -r
complete -c wharf -n "__fish_wharf_using_subcommand prune; and not __fish_seen_subcommand_from containers images" -l config -d 'Configuration file instead of the default one' -r
complete -c wharf -n "__fish_wharf_using_subcommand prune; and not __fish_seen_subcommand_from containers images" -s q -l quiet -d 'Only ids, no progress'
complete -c wharf -n "__fish_wharf_using_subcommand prune; and not __fish_seen_subcommand_from containers images" -l no-color -d 'No colours, as with NO_COLOR'
complete -c wharf -n "__fish_wharf_using_subcommand prune; and not __fish_seen_subcommand_from containers images" -s h -l help -d 'Print help'
complete -c wharf -n "__fish_wharf_using_subcommand prune; and not __fish_seen_subcommand_from containers images" -f -a "containers" -d 'Remove all stopped containers, after showing which'
complete -c wharf -n "__fish_wharf_using_subcommand prune; and not __fish_seen_subcommand_from containers images" -f -a "images" -d 'Remove images without a reference, or all unused ones, after showing which'
complete -c wharf -n "__fish_wharf_using_subcommand prune; and __fish_seen_subcommand_from containers" -l host -d 'Engine to use: embedded, docker, podman, a URL, or a name from the config file' -r
complete -c wharf -n "__fish_wharf_using_subcommand prune; and __fish_seen_subcommand_from containers" -l format -d 'Output: table or json (one object per line)' -r
complete -c wharf -n "__fish_wharf_using_subcommand prune; and __fish_seen_subcommand_from containers" -l config -d 'Configuration file instead of the default one' -r
complete -c wharf -n "__fish_wharf_using_subcommand prune; and __fish_seen_subcommand_from containers" -s f -l force -d 'Do not ask'
complete -c wharf -n "__fish_wharf_using_subcommand prune; and __fish_seen_subcommand_from containers" -s q -l quiet -d 'Only ids, no progress'
complete -c wharf -n "__fish_wharf_using_subcommand prune; and __fish_seen_subcommand_from containers" -l no-color -d 'No colours, as with NO_COLOR'
complete -c wharf -n "__fish_wharf_using_subcommand prune; and __fish_seen_subcommand_from containers" -s h -l help -d 'Print help'
complete -c wharf -n "__fish_wharf_using_subcommand prune; and __fish_seen_subcommand_from images" -l host -d 'Engine to use: embedded, docker, podman, a URL, or a name from the config file' -r
complete -c wharf -n "__fish_wharf_using_subcommand prune; and __fish_seen_subcommand_from images" -l format -d 'Output: table or json (one object per line)' -r
complete -c wharf -n "__fish_wharf_using_subcommand prune; and __fish_seen_subcommand_from images" -l config -d 'Configuration file instead of the default one' -r
complete -c wharf -n "__fish_wharf_using_subcommand prune; and __fish_seen_subcommand_from images" -s a -l all -d 'Also tagged ones that no container uses'
complete -c wharf -n "__fish_wharf_using_subcommand prune; and __fish_seen_subcommand_from images" -s f -l force -d 'Do not ask'
complete -c wharf -n "__fish_wharf_using_subcommand prune; and __fish_seen_subcommand_from images" -s q -l quiet -d 'Only ids, no progress'
complete -c wharf -n "__fish_wharf_using_subcommand prune; and __fish_seen_subcommand_from images" -l no-color -d 'No colours, as with NO_COLOR'
complete -c wharf -n "__fish_wharf_using_subcommand prune; and __fish_seen_subcommand_from images" -s h -l help -d 'Print help'
complete -c wharf -n "__fish_wharf_using_subcommand ui" -l host -d 'Engine to use: embedded, docker, podman, a URL, or a name from the config file' -r
complete -c wharf -n "__fish_wharf_using_subcommand ui" -l format -d 'Output: table or json (one object per line)' -r
complete -c wharf -n "__fish_wharf_using_subcommand ui" -l config -d 'Configuration file instead of the default one' -r
complete -c wharf -n "__fish_wharf_using_subcommand ui" -s q -l quiet -d 'Only ids, no progress'
complete -c wharf -n "__fish_wharf_using_subcommand ui" -l no-color -d 'No colours, as with NO_COLOR'
complete -c wharf -n "__fish_wharf_using_subcommand ui" -s h -l help -d 'Print help'
complete -c wharf -n "__fish_wharf_using_subcommand script" -s j -l jobs -d 'Lines that run at once (default 1)' -r
complete -c wharf -n "__fish_wharf_using_subcommand script" -l host -d 'Engine to use: embedded, docker, podman, a URL, or a name from the config file' -r
complete -c wharf -n "__fish_wharf_using_subcommand script" -l format -d 'Output: table or json (one object per line)' -r
complete -c wharf -n "__fish_wharf_using_subcommand script" -l config -d 'Configuration file instead of the default one' -r
complete -c wharf -n "__fish_wharf_using_subcommand script" -s k -l keep-going -d 'Go on after a line failed'
complete -c wharf -n "__fish_wharf_using_subcommand script" -s q -l quiet -d 'Only ids, no progress'
complete -c wharf -n "__fish_wharf_using_subcommand script" -l no-color -d 'No colours, as with NO_COLOR'
complete -c wharf -n "__fish_wharf_using_subcommand script" -s h -l help -d 'Print help'
complete -c wharf -n "__fish_wharf_using_subcommand demo" -l host -d 'Engine to use: embedded, docker, podman, a URL, or a name from the config file' -r
complete -c wharf -n "__fish_wharf_using_subcommand demo" -l format -d 'Output: table or json (one object per line)' -r
complete -c wharf -n "__fish_wharf_using_subcommand demo" -l config -d 'Configuration file instead of the default one' -r
complete -c wharf -n "__fish_wharf_using_subcommand demo" -l clean -d 'Remove them again'
complete -c wharf -n "__fish_wharf_using_subcommand demo" -s q -l quiet -d 'Only ids, no progress'
complete -c wharf -n "__fish_wharf_using_subcommand demo" -l no-color -d 'No colours, as with NO_COLOR'
complete -c wharf -n "__fish_wharf_using_subcommand demo" -s h -l help -d 'Print help'
complete -c wharf -n "__fish_wharf_using_subcommand system; and not __fish_seen_subcommand_from info repair" -l host -d 'Engine to use: embedded, docker, podman, a URL, or a name from the config file' -r
complete -c wharf -n "__fish_wharf_using_subcommand system; and not __fish_seen_subcommand_from info repair" -l format -d 'Output: table or json (one object per line)' -r
complete -c wharf -n "__fish_wharf_using_subcommand system; and not __fish_seen_subcommand_from info repair" -l config -d 'Configuration file instead of the default one' -r
complete -c wharf -n "__fish_wharf_using_subcommand system; and not __fish_seen_subcommand_from info repair" -s q -l quiet -d 'Only ids, no progress'
complete -c wharf -n "__fish_wharf_using_subcommand system; and not __fish_seen_subcommand_from info repair" -l no-color -d 'No colours, as with NO_COLOR'
complete -c wharf -n "__fish_wharf_using_subcommand system; and not __fish_seen_subcommand_from info repair" -s h -l help -d 'Print help'
complete -c wharf -n "__fish_wharf_using_subcommand system; and not __fish_seen_subcommand_from info repair" -f -a "info" -d 'Say where things are, what this host can do, and how to fix what it cannot'
complete -c wharf -n "__fish_wharf_using_subcommand system; and not __fish_seen_subcommand_from info repair" -f -a "repair" -d 'Finish or undo everything that a kill, a crash or a full disk interrupted, and say what'
complete -c wharf -n "__fish_wharf_using_subcommand system; and __fish_seen_subcommand_from info" -l host -d 'Engine to use: embedded, docker, podman, a URL, or a name from the config file' -r
complete -c wharf -n "__fish_wharf_using_subcommand system; and __fish_seen_subcommand_from info" -l format -d 'Output: table or json (one object per line)' -r
complete -c wharf -n "__fish_wharf_using_subcommand system; and __fish_seen_subcommand_from info" -l config -d 'Configuration file instead of the default one' -r
complete -c wharf -n "__fish_wharf_using_subcommand system; and __fish_seen_subcommand_from info" -s q -l quiet -d 'Only ids, no progress'
complete -c wharf -n "__fish_wharf_using_subcommand system; and __fish_seen_subcommand_from info" -l no-color -d 'No colours, as with NO_COLOR'
complete -c wharf -n "__fish_wharf_using_subcommand system; and __fish_seen_subcommand_from info" -s h -l help -d 'Print help'
complete -c wharf -n "__fish_wharf_using_subcommand system; and __fish_seen_subcommand_from repair" -l host -d 'Engine to use: embedded, docker, podman, a URL, or a name from the config file' -r
complete -c wharf -n "__fish_wharf_using_subcommand system; and __fish_seen_subcommand_from repair" -l format -d 'Output: table or json (one object per line)' -r
complete -c wharf -n "__fish_wharf_using_subcommand system; and __fish_seen_subcommand_from repair" -l config -d 'Configuration file instead of the default one' -r
complete -c wharf -n "__fish_wharf_using_subcommand system; and __fish_seen_subcommand_from repair" -l dry-run -d 'Only say what would be done'
complete -c wharf -n "__fish_wharf_using_subcommand system; and __fish_seen_subcommand_from repair" -s q -l quiet -d 'Only ids, no progress'
complete -c wharf -n "__fish_wharf_using_subcommand system; and __fish_seen_subcommand_from repair" -l no-color -d 'No colours, as with NO_COLOR'
complete -c wharf -n "__fish_wharf_using_subcommand system; and __fish_seen_subcommand_from repair" -s h -l help -d 'Print help'
complete -c wharf -n "__fish_wharf_using_subcommand completion" -l host -d 'Engine to use: embedded, docker, podman, a URL, or a name from the config file' -r
complete -c wharf -n "__fish_wharf_using_subcommand completion" -l format -d 'Output: table or json (one object per line)' -r
complete -c wharf -n "__fish_wharf_using_subcommand completion" -l config -d 'Configuration file instead of the default one' -r
complete -c wharf -n "__fish_wharf_using_subcommand completion" -s q -l quiet -d 'Only ids, no progress'
complete -c wharf -n "__fish_wharf_using_subcommand completion" -l no-color -d 'No colours, as with NO_COLOR'
complete -c wharf -n "__fish_wharf_using_subcommand completion" -s h -l help -d 'Print help'
complete -c wharf -n "__fish_wharf_using_subcommand version" -l host -d 'Engine to use: embedded, docker, podman, a URL, or a name from the config file' -r
complete -c wharf -n "__fish_wharf_using_subcommand version" -l format -d 'Output: table or json (one object per line)' -r
complete -c wharf -n "__fish_wharf_using_subcommand version" -l config -d 'Configuration file instead of the default one' -r
complete -c wharf -n "__fish_wharf_using_subcommand version" -s q -l quiet -d 'Only ids, no progress'
complete -c wharf -n "__fish_wharf_using_subcommand version" -l no-color -d 'No colours, as with NO_COLOR'
complete -c wharf -n "__fish_wharf_using_subcommand version" -s h -l help -d 'Print help'
complete -c wharf -n "__fish_wharf_using_subcommand start" -f -a "(wharf __complete containers 2>/dev/null)"
complete -c wharf -n "__fish_wharf_using_subcommand stop" -f -a "(wharf __complete containers 2>/dev/null)"
complete -c wharf -n "__fish_wharf_using_subcommand restart" -f -a "(wharf __complete containers 2>/dev/null)"
complete -c wharf -n "__fish_wharf_using_subcommand kill" -f -a "(wharf __complete containers 2>/dev/null)"
complete -c wharf -n "__fish_wharf_using_subcommand pause" -f -a "(wharf __complete containers 2>/dev/null)"
complete -c wharf -n "__fish_wharf_using_subcommand unpause" -f -a "(wharf __complete containers 2>/dev/null)"
complete -c wharf -n "__fish_wharf_using_subcommand rm" -f -a "(wharf __complete containers 2>/dev/null)"
complete -c wharf -n "__fish_wharf_using_subcommand rename" -f -a "(wharf __complete containers 2>/dev/null)"
complete -c wharf -n "__fish_wharf_using_subcommand exec" -f -a "(wharf __complete containers 2>/dev/null)"
complete -c wharf -n "__fish_wharf_using_subcommand attach" -f -a "(wharf __complete containers 2>/dev/null)"
complete -c wharf -n "__fish_wharf_using_subcommand logs" -f -a "(wharf __complete containers 2>/dev/null)"
complete -c wharf -n "__fish_wharf_using_subcommand inspect" -f -a "(wharf __complete containers 2>/dev/null)"
complete -c wharf -n "__fish_wharf_using_subcommand top" -f -a "(wharf __complete containers 2>/dev/null)"
complete -c wharf -n "__fish_wharf_using_subcommand wait" -f -a "(wharf __complete containers 2>/dev/null)"
complete -c wharf -n "__fish_wharf_using_subcommand run" -f -a "(wharf __complete images 2>/dev/null)"
complete -c wharf -n "__fish_wharf_using_subcommand create" -f -a "(wharf __complete images 2>/dev/null)"
complete -c wharf -n "__fish_wharf_using_subcommand inspect" -f -a "(wharf __complete images 2>/dev/null)"
complete -c wharf -n "__fish_wharf_using_subcommand pull" -f -a "(wharf __complete images 2>/dev/null)"
complete -c wharf -n "__fish_wharf_using_subcommand push" -f -a "(wharf __complete images 2>/dev/null)"
complete -c wharf -n "__fish_wharf_using_subcommand images" -f -a "(wharf __complete images 2>/dev/null)"
complete -c wharf -n "__fish_wharf_using_subcommand rmi" -f -a "(wharf __complete images 2>/dev/null)"
complete -c wharf -n "__fish_wharf_using_subcommand tag" -f -a "(wharf __complete images 2>/dev/null)"
complete -c wharf -n "__fish_wharf_using_subcommand history" -f -a "(wharf __complete images 2>/dev/null)"
