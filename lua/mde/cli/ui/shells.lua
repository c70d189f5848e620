--- shells: scripts that complete the command's words in bash, zsh and fish: those that argparse makes, which know
-- subcommands, options and files, and in them the values that an option or the words themselves may have.

local M = {}

---@class mde.cli.Completion the values at one place of a command line
---@field command string the subcommand
---@field option string? nil: its words that are no options
---@field name string of the function in the script
---@field words string[]
---@field kind "word"|"list"|"condition" one of the words; several with commas; or FIELD=VALUE, whose field it is

local function find(list, name)
  for _, element in ipairs(list) do
    for _, alias in ipairs(element._aliases or { element._name }) do
      if alias == name then return element end
    end
  end
end

-- What argparse writes in the place of a value's words, to be found again.
local function mark(name)
  return "@" .. name .. "@"
end

local function mark_places(parser, completions)
  for _, one in ipairs(completions) do
    local command = find(parser._commands, one.command)
    local element = one.option and find(command._options, one.option) or command._arguments[1]
    element._choices = { mark(one.name) }
  end
end

-- Replaces plain text by plain text, everywhere.
local function replace(text, from, to)
  local parts, position = {}, 1
  while true do
    local first, last = text:find(from, position, true)
    if not first then break end
    parts[#parts + 1] = text:sub(position, first - 1) .. to
    position = last + 1
  end
  return table.concat(parts) .. text:sub(position)
end

local function insert_before(text, place, more, position)
  local first = assert(text:find(place, position or 1, true), place)
  return text:sub(1, first - 1) .. more .. text:sub(first)
end

-- ---- bash, which takes the signs = and : for the end of a word

local bash_bodies = {
  word = [[
    COMPREPLY=($(compgen -W "%s" -- "$cur"))
]],
  list = [==[
    local before=
    if [[ "$cur" == *,* ]]; then before="${cur%%,*},"; fi
    COMPREPLY=($(compgen -P "$before" -W "%s" -- "${cur##*,}"))
    compopt -o nospace 2>/dev/null
]==],
  condition = [==[
    if [[ -n "$assigned" || "$cur" == -* ]]; then return 0; fi
    COMPREPLY=($(compgen -S = -W "%s" -- "$cur"))
    compopt -o nospace 2>/dev/null
]==],
}

local BASH_WORDS = [==[
    local assigned=
    if [[ "$cur" == "=" ]]; then
        cur="" assigned=yes
    elif [[ "$prev" == "=" ]]; then
        prev="${COMP_WORDS[COMP_CWORD-2]}" assigned=yes
    fi
]==]

local writers = {}

function writers.bash(parser, completions)
  local text, functions = parser:get_bash_complete(), {}
  text = insert_before(text, "    opts=", BASH_WORDS)
  for _, one in ipairs(completions) do
    functions[#functions + 1] = ("_mde_%s() {\n%s}\n\n"):format(one.name,
      bash_bodies[one.kind]:format(table.concat(one.words, " ")))
    text = replace(text, ('COMPREPLY=($(compgen -W "%s" -- "$cur"))'):format(mark(one.name)), "_mde_" .. one.name)
    if not one.option then
      local begins = text:find(("        '%s')\n"):format(one.command), 1, true)
      if begins then
        text = insert_before(text, "            esac\n", ("                *)\n                    _mde_%s\n"
          .. "                    ;;\n"):format(one.name), begins)
      else
        text = insert_before(text, "    esac\n\n    if [[ \"$cur\" = -*", ("        '%s')\n            _mde_%s\n"
          .. "            ;;\n"):format(one.command, one.name))
      end
    end
  end
  return table.concat(functions) .. text
end

-- ---- zsh

local zsh_bodies = {
  word = 'compadd "$@" - %s', list = '_sequence "$@" compadd - %s', condition = "compadd \"$@\" -S '' - %s",
}

-- The words, those of conditions with the sign.
local function words_of(one)
  return table.concat(one.words, one.kind == "condition" and "= " or " ") .. (one.kind == "condition" and "=" or "")
end

function writers.zsh(parser, completions)
  local text, functions = parser:get_zsh_complete(), {}
  for _, one in ipairs(completions) do
    local body = zsh_bodies[one.kind]:format(words_of(one))
    functions[#functions + 1] = ("\n_mde_%s() {\n  %s\n}\n"):format(one.name, body)
    text = replace(text, ("(%s)"):format(mark(one.name)), "_mde_" .. one.name)
  end
  -- The script ends with the call of its function.
  return (text:gsub("\n_mde\n$", function() return table.concat(functions) .. "\n_mde\n" end))
end

-- ---- fish

local FISH_LIST = [[
function __fish_mde_list
    set -l typed (commandline -ct | string replace -r '^--[a-z]+=' '' | string replace -r '[^,]*$' '')
    printf '%s\n' "$typed"$argv
end

]]

function writers.fish(parser, completions)
  local text = parser:get_fish_complete()
  -- A subcommand that begins as another does is not the other.
  text = replace(text, 'string match -q "$argv*"', 'string match -q "$argv"')
  for _, one in ipairs(completions) do
    local words = words_of(one)
    if one.kind == "list" then words = ("(__fish_mde_list %s)"):format(words) end
    text = replace(text, mark(one.name), words)
    if not one.option then
      text = text .. ("complete -c mde -n '__fish_mde_using_command %s' -xa '%s'\n"):format(one.command, words)
    end
  end
  return FISH_LIST .. text
end

--- The script for a shell. Nothing can be parsed with the parser any more.
---@param parser table of argparse
---@param shell "bash"|"zsh"|"fish"
---@param completions mde.cli.Completion[]
---@return string
function M.script(parser, shell, completions)
  mark_places(parser, completions)
  return writers[shell](parser, completions)
end

return M
