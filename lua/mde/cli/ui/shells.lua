--- shells: scripts that complete the words of the command in bash, zsh and fish: subcommands, options, and the values
-- that an option or the other words may have. Where any text goes nothing is offered, and files only where one is
-- meant.
--
-- A script has all the words in it. What it asks of the command when a key is pressed are the names of the profiles.

local M = {}

---@class mde.cli.Place what stands at one place of a command line
---@field kind "text"|"file"|"word"|"list"|"condition"|"profile" any text; a file; one of the words; several of them
--- with commas between; FIELD=VALUE, where the words are fields; the name of a profile
---@field words? string[]
---@field values? table<string, string[]> of a condition: what a field may be, of those that have a choice

---@class mde.cli.OfferedOption
---@field names string[] -q, --quiet
---@field about string
---@field repeated boolean whether it may be given again
---@field place? mde.cli.Place of its value; nil if it needs none

---@class mde.cli.OfferedCommand
---@field name string "" stands for what comes before the subcommand
---@field about string
---@field options mde.cli.OfferedOption[]
---@field place mde.cli.Place of its words that are no options

local PROFILES = "command mde completion profiles 2>/dev/null </dev/null"

-- In single quotes, as every shell here reads them. fish takes a backslash within for an escape, so none is let in.
local function quote(text)
  return "'" .. text:gsub("\\", "/"):gsub("'", "'\"'\"'") .. "'"
end

local function each_place(commands, fn)
  for _, command in ipairs(commands) do
    for _, option in ipairs(command.options) do
      if option.place then
        for _, name in ipairs(option.names) do fn(command, name, option.place) end
      end
    end
    fn(command, "", command.place)
  end
end

local function words_of(place)
  return table.concat(place.words or {}, " ")
end

local function fields_of(place)
  return place.words[1] and table.concat(place.words, "= ") .. "=" or ""
end

-- The fields of a condition that have a choice, in order.
local function each_choice(place, fn)
  for _, field in ipairs(place.words) do
    if place.values[field] then fn(field, table.concat(place.values[field], " ")) end
  end
end

-- Puts texts into a script, in the places of @NAME@.
local function fill(script, texts)
  return (script:gsub("@([A-Z]+)@", texts))
end

-- ---- bash

local BASH = [==[
# mde completion bash

# _mde_place COMMAND OPTION: sets the kind and the words of what stands behind it there; FIELD= is as good as an option.
_mde_place() {
    case "$1 $2" in
@PLACES@    esac
}

_mde() {
    local IFS=$' \t\n' kind= words= option= before= typed= passed= word at=$COMP_CWORD
    local line=${COMP_LINE:0:COMP_POINT} command=
    COMPREPLY=()

    # bash ends a word at = and : and replaces what comes after, passed is what it leaves.
    while ((at > 0)); do
        word=${COMP_WORDS[at]}
        # What stands behind the cursor does not count.
        while [[ "$line" != *"$word" ]]; do word=${word%?}; done
        if ((at < COMP_CWORD)); then
            passed=$word$passed
        elif [[ "$word" == [=:]* ]]; then
            passed=$word
        fi
        typed=$word$typed line=${line%"$word"} at=$((at - 1))
        if [[ -z "$line" || "$line" == *[[:blank:]] ]]; then break; fi
    done
    if [[ "$typed" == [\'\"]* ]]; then typed=${typed:1}; fi
    if ((at > 0)); then command=${COMP_WORDS[1]} option=${COMP_WORDS[at]}; fi

    if [[ "$typed" == --*=* ]]; then
        option=${typed%%=*} before=${typed%%=*}=
    fi
    if [[ -n "$option" ]]; then _mde_place "$command" "$option"; fi
    if [[ -z "$kind" ]]; then
        if [[ -n "$before" ]]; then return; fi
        if [[ "$typed" == -* ]]; then option=-; else option=; fi
        _mde_place "$command" "$option"
    fi

    case $kind in
        file)
            compopt -o default -o bashdefault 2>/dev/null
            return
            ;;
        list)
            word=${typed#"$before"}
            if [[ "$word" == *,* ]]; then before=$before${word%,*},; fi
            compopt -o nospace 2>/dev/null
            ;;
        profile)
            words=$(@PROFILES@)
            ;;
        condition)
            if [[ "$typed" =~ ^([A-Za-z]+)[^A-Za-z0-9=]?=+ ]]; then
                before=${BASH_REMATCH[0]} kind= words=
                _mde_place "$command" "${BASH_REMATCH[1]}="
            else
                compopt -o nospace 2>/dev/null
            fi
            ;;
    esac
    for word in $words; do
        word=$before$word
        if [[ "$word" == "$typed"* ]]; then COMPREPLY+=("${word#"$passed"}"); fi
    done
}

complete -F _mde mde
]==]

local function names_of(options)
  local names = {}
  for _, option in ipairs(options) do
    for _, name in ipairs(option.names) do names[#names + 1] = name end
  end
  return table.concat(names, " ")
end

local function in_bash(commands)
  local places = {}
  local function add(command, name, kind, words)
    places[#places + 1] = ("        '%s %s') kind=%s%s ;;\n"):format(command.name, name, kind,
      words ~= "" and (" words='%s'"):format(words) or "")
  end
  each_place(commands, function(command, name, place)
    add(command, name, place.kind, place.kind == "condition" and fields_of(place) or words_of(place))
    if place.kind == "condition" then
      each_choice(place, function(field, values) add(command, field .. "=", "word", values) end)
    end
  end)
  for _, command in ipairs(commands) do add(command, "-", "word", names_of(command.options)) end
  return fill(BASH, { PLACES = table.concat(places), PROFILES = PROFILES })
end

-- ---- zsh

local ZSH = [==[
#compdef mde

_mde_profiles() {
  local -a names=(${(f)"$(@PROFILES@)"})
  (( $#names )) && compadd "$@" -a names
}

_mde_nothing() {
  return 1
}

_mde_list() {
  _sequence compadd - $@
}

# _mde_condition COMMAND FIELD...: the values of a field, or the fields.
_mde_condition() {
  local command=$1 field=${PREFIX%%[^A-Za-z]*}
  shift
  if [[ $PREFIX != *=* ]]; then
    compadd -S = - $@
    return
  fi
  compset -P '*='
  case "$command $field" in
@CHOICES@  esac
}

_mde_commands() {
  local -a commands=(
@COMMANDS@  )
  _describe command commands
}

_mde() {
  local curcontext=$curcontext context state state_descr line
  typeset -A opt_args
  _arguments -C -s -S \
@OPTIONS@    ': :_mde_commands' \
    '*:: :->words' && return 0
  case $words[1] in
@CASES@  esac
}

if [[ $funcstack[1] == _mde ]]; then _mde "$@"; else compdef _mde mde; fi
]==]

local function zsh_text(text)
  return (text:gsub("[%[%]:]", "\\%0"))
end

-- Single quotes that keep backslashes.
local function zsh_quote(text)
  return "'" .. text:gsub("'", "'\\''") .. "'"
end

local function zsh_action(command, place)
  if place.kind == "file" then return "_files" end
  if place.kind == "word" then return ("(%s)"):format(words_of(place)) end
  -- Without the blank, _arguments would put words of its own behind the function's name.
  if place.kind == "list" then return " _mde_list " .. words_of(place) end
  if place.kind == "profile" then return "_mde_profiles" end
  if place.kind == "condition" then return (" _mde_condition %s %s"):format(command.name, words_of(place)) end
  return "_mde_nothing"
end

-- The options as _arguments takes them, a line each.
local function zsh_options(command)
  local lines = {}
  for _, option in ipairs(command.options) do
    local about = ("[%s]"):format(zsh_text(option.about))
    for _, name in ipairs(option.names) do
      local spec = option.repeated and "*" or ("(%s)"):format(table.concat(option.names, " "))
      if option.place then
        spec = spec .. name .. "=" .. about .. ":value:" .. zsh_action(command, option.place)
      else
        spec = spec .. name .. about
      end
      lines[#lines + 1] = ("    %s \\\n"):format(zsh_quote(spec))
    end
  end
  return table.concat(lines)
end

local function in_zsh(commands)
  local cases, described, choices = {}, {}, {}
  for _, command in ipairs(commands) do
    if command.name ~= "" then
      described[#described + 1] = ("    %s\n"):format(zsh_quote(command.name .. ":" .. zsh_text(command.about)))
      cases[#cases + 1] = ("  (%s)\n    _arguments -s -S \\\n%s    %s\n    ;;\n"):format(command.name,
        zsh_options(command), zsh_quote("*: :" .. zsh_action(command, command.place)))
    end
  end
  each_place(commands, function(command, _, place)
    if place.kind ~= "condition" then return end
    each_choice(place, function(field, values)
      choices[#choices + 1] = ("  ('%s %s') compadd - %s ;;\n"):format(command.name, field, values)
    end)
  end)
  return fill(ZSH, { PROFILES = PROFILES, CHOICES = table.concat(choices), COMMANDS = table.concat(described),
    OPTIONS = zsh_options(commands[1]), CASES = table.concat(cases) })
end

-- ---- fish

local FISH = [==[
# mde completion fish

function __fish_mde_in
    set -l typed (commandline -poc)
    test "$typed[2]" = "$argv[1]"
end

function __fish_mde_profiles
    command -q mde; and @PROFILES@
end

function __fish_mde_list
    set -l typed (commandline -ct | string replace -r '^--[a-z]+=' '' | string replace -r '[^,]*$' '')
    printf '%s\n' "$typed"$argv
end

# __fish_mde_condition COMMAND FIELD...: the values of a field, or the fields.
function __fish_mde_condition
    set -l typed (commandline -ct | string trim -l -c '"\'')
    set -l before (string match -r '^[A-Za-z]+[^A-Za-z0-9=]?=+' -- $typed)
    if test -z "$before"
        printf '%s=\n' $argv[2..-1]
        return
    end
    switch "$argv[1] "(string match -r '^[A-Za-z]+' -- $typed)
@CHOICES@    end
end

complete -c mde -e
complete -c mde -f
]==]

local function fish_values(command, place)
  if place.kind == "word" then return words_of(place) end
  if place.kind == "list" then return ("(__fish_mde_list %s)"):format(words_of(place)) end
  if place.kind == "profile" then return "(__fish_mde_profiles)" end
  if place.kind == "condition" then
    return ("(__fish_mde_condition %s %s)"):format(command.name, words_of(place))
  end
end

local function fish_option(command, option)
  local parts = { "complete -c mde -n", quote(("__fish_mde_in '%s'"):format(command.name):gsub("'", '"')) }
  for _, name in ipairs(option.names) do
    parts[#parts + 1] = name:find "^%-%-" and "-l " .. name:sub(3) or "-s " .. name:sub(2)
  end
  local values = option.place and fish_values(command, option.place)
  if option.place then parts[#parts + 1] = option.place.kind == "file" and "-rF" or "-x" end
  if values then parts[#parts + 1] = "-a " .. quote(values) end
  return table.concat(parts, " ") .. " -d " .. quote(option.about) .. "\n"
end

local function in_fish(commands)
  local lines, choices = {}, {}
  for _, command in ipairs(commands) do
    if command.name ~= "" then
      lines[#lines + 1] = ("complete -c mde -n '__fish_mde_in \"\"' -a %s -d %s\n"):format(command.name,
        quote(command.about))
    end
    for _, option in ipairs(command.options) do lines[#lines + 1] = fish_option(command, option) end
    local values = command.name ~= "" and fish_values(command, command.place)
    if values then
      lines[#lines + 1] = ("complete -c mde -n '__fish_mde_in %s' -a %s\n"):format(command.name, quote(values))
    end
  end
  each_place(commands, function(command, _, place)
    if place.kind ~= "condition" then return end
    each_choice(place, function(field, values)
      choices[#choices + 1] = ("        case '%s %s'\n            printf '%%s\\n' \"$before\"(printf '%%s\\n' %s)\n")
        :format(command.name, field, values)
    end)
  end)
  return fill(FISH, { PROFILES = PROFILES, CHOICES = table.concat(choices) }) .. table.concat(lines)
end

local writers = { bash = in_bash, zsh = in_zsh, fish = in_fish }

--- The script for a shell.
---@param shell "bash"|"zsh"|"fish"
---@param commands mde.cli.OfferedCommand[] the first has no name
---@return string
function M.script(shell, commands)
  return writers[shell](commands)
end

return M
