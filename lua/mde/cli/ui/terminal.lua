--- terminal: what a person sees and answers: escaping, widths, remarks, questions.
--
-- Questions, remarks and the status go to standard error, so that standard output carries results alone.

local core = require "mde.core"
local errors = require "mde.base.error"
local posix = require "mde.posix"

local M = {}

local INPUT, OUTPUT, ERROR = 0, 1, 2
local DEFAULT_COLUMNS = 80

--- A text that acts on no terminal.
M.escape = errors.escape

--- Whether a person can be asked.
---@return boolean
function M.is_interactive()
  return posix.terminal.is_terminal(INPUT) and posix.terminal.is_terminal(ERROR)
end

-- The terminal itself, where standard input is read for something else.
local tty

--- Makes answers come from the terminal itself, since standard input is read for something else.
---@return boolean done false if no person can be asked
function M.ask_beside_input()
  if not posix.terminal.is_terminal(ERROR) then return false end
  -- On a terminal, what is read ends with Ctrl-D, and the answers come behind it.
  if posix.terminal.is_terminal(INPUT) then return true end
  tty = tty or io.open("/dev/tty", "r")
  return tty ~= nil
end

--- Whether results are read by a person as they come.
---@return boolean
function M.shows_results()
  return posix.terminal.is_terminal(OUTPUT)
end

--- How wide the terminal is on which results or, if these go elsewhere, remarks are shown.
---@return integer
function M.columns()
  return posix.terminal.columns(OUTPUT) or posix.terminal.columns(ERROR) or DEFAULT_COLUMNS
end

-- ---- widths

--- How many columns an escaped text takes.
---@type fun(text: string): integer
M.width = core.show.columns

--- An escaped text in exactly that many columns: filled up, or cut and marked with dots.
---@param text string
---@param columns integer
---@return string
function M.fit(text, columns)
  local width = M.width(text)
  if width <= columns then return text .. (" "):rep(columns - width) end
  local mark = ("."):rep(math.min(3, columns))
  local beginning, taken = core.show.beginning(text, columns - #mark)
  return beginning .. mark .. (" "):rep(columns - #mark - taken)
end

-- What stands before the lines that go on with a message.
local INDENT = "  "

-- Whether a line may end between two words: not behind the name of this command, not before its options and
-- conditions, and not between an option and its value.
local function may_end(before, word, in_command)
  if before == "mde" or before:find "^%-%-[a-z][a-z-]*$" then return false end
  return not (in_command and (word:find "^%-" or word:find "="))
end

-- The words of a text with the blanks before each; those that one would copy together are one.
local function words_of(text)
  local words, before, in_command, in_quotes = {}, "", false, false
  for blanks, word in text:gmatch "( *)([^ ]+)" do
    local may_begin = in_command and word:find "^'"
    if words[1] and (in_quotes or not may_end(before, word, in_command)) then
      words[#words].text = words[#words].text .. blanks .. word
    else
      words[#words + 1] = { blanks = blanks, text = word }
      in_command = false
    end
    if in_quotes or may_begin then in_quotes = (select(2, word:gsub("'", "")) % 2 == 1) ~= in_quotes end
    in_command = (in_command or word == "mde") and not word:find "[.,:;]$"
    before = word
  end
  return words
end

--- An escaped text in lines that fit, which end at blanks, though not within a command; a word that is longer stands in
--- a line of its own.
---@param text string
---@param columns integer
---@return string
function M.wrap(text, columns)
  if M.width(text) <= columns then return text end
  local lines, line, taken = {}, nil, 0
  for _, one in ipairs(words_of(text)) do
    local blanks, word = one.blanks, one.text
    local width = M.width(word)
    if line and taken + #blanks + width > columns then
      lines[#lines + 1] = line
      line, taken = INDENT .. word, #INDENT + width
    else
      line, taken = (line or "") .. blanks .. word, taken + #blanks + width
    end
  end
  lines[#lines + 1] = line
  return table.concat(lines, "\n")
end

-- ---- remarks and questions

-- What stands on the last line of standard error until something else does; whether it stands there now; and how many
-- have asked that it does not until they have written what they write.
local status_line
local is_shown, holders = false, 0
local gone, quiet = false, false

-- Writes a text that is escaped already.
local function write(...)
  if not io.stderr:write(...) and posix.signal.interruptions() == 0 then gone = true end
end

--- Whether standard error takes nothing more, because the terminal was closed, say.
---@return boolean
function M.is_gone()
  return gone
end

-- A terminal that does not say what it is may be unable to do what others do.
local function is_capable(descriptor)
  local kind = os.getenv "TERM" or ""
  return posix.terminal.is_terminal(descriptor) and kind ~= "" and kind ~= "dumb"
end

--- Whether a line of standard error can be taken back.
---@return boolean
function M.has_movable_line()
  return is_capable(ERROR)
end

--- Whether the terminal that shows results, or remarks, takes styles, and nobody has said that they are not wanted.
---@param results boolean
---@return boolean
function M.has_styles(results)
  return (os.getenv "NO_COLOR" or "") == "" and is_capable(results and OUTPUT or ERROR)
end

local RED, BOLD, PLAIN = "\27[31m", "\27[1m", "\27[m"

--- A line that table.lua made of titles, for standard output.
---@param line string
---@return string
function M.heading(line)
  return M.has_styles(true) and BOLD .. line .. PLAIN or line
end

-- Takes the status off the line it stands on, for a line that is to stand there.
local function hide_status()
  if is_shown then write "\r\27[K" end
  is_shown = false
end

-- Puts it back, once nobody writes above it any more. Twice in one line it would go on in the next, where nothing takes
-- it away.
local function show_status()
  if not status_line or is_shown or holders > 0 then return end
  write(status_line)
  is_shown = true
end

--- How wide the line may be that stays the last one. One column stays free: a character in the last one moves some
--- terminals to the next line.
---@return integer
function M.status_columns()
  return (posix.terminal.columns(ERROR) or DEFAULT_COLUMNS) - 1
end

--- Shows a line that stays the last one, in the place of the one before; nil takes it away.
---@param line string? escaped already; what does not fit is cut
function M.set_status(line)
  hide_status()
  status_line = line and core.show.beginning(line, M.status_columns())
  show_status()
end

--- Lets fn(...) write to standard output and standard error, above the status if there is one.
---@param fn fun(...: any)
function M.above_status(fn, ...)
  hide_status()
  holders = holders + 1
  local ok, problem = pcall(fn, ...)
  holders = holders - 1
  show_status()
  if not ok then error(problem, 0) end
end

-- Writes a text to standard error, escaped; above the status, if there is one. A terminal shows it in as many lines as
-- it takes, none of which ends within a word. A command that is to be copied has a line of its own, however long.
local function say(text, style, command)
  local columns = posix.terminal.is_terminal(ERROR) and posix.terminal.columns(ERROR)
  text = M.escape(text)
  if columns then text = M.wrap(text, columns) end
  if command then text = text .. "\n" .. INDENT .. M.escape(command) end
  if style and M.has_styles(false) then text = style .. text .. PLAIN end
  hide_status()
  write(text, "\n")
  show_status()
end

--- Writes a line to standard error, and below it a command to be copied, if there is one.
---@param text string
---@param command? string
function M.say(text, command)
  say(text, nil, command)
end

--- Writes an error to standard error, in red where that is seen.
---@param text string
function M.complain(text)
  say(text, RED)
end

--- Says from now on whether remarks and the progress are left out.
---@param wanted boolean
function M.be_quiet(wanted)
  quiet = wanted
end

---@return boolean
function M.is_quiet()
  return quiet
end

--- Writes a line that --quiet leaves out.
---@param text string
function M.remark(text)
  if not quiet then M.say(text) end
end

--- Writes what somebody should know before an answer; a sentence without its end.
---@param text string
function M.caution(text)
  M.say("Note: " .. text .. ".")
end

--- The same where --quiet leaves it out, since nothing is asked for its sake.
---@param text string
function M.note(text)
  if not quiet then M.caution(text) end
end

--- Writes lines that table.lua made, without a look at the status.
---@param line string
function M.show(line)
  write(line, "\n")
end

--- Asks, and returns the answer without white space around it; nil at the end of the input and
--- after an interruption.
---@param question string
---@return string?
function M.ask(question)
  write(M.escape(question))
  local answer
  if tty then answer = tty:read "*l" else answer = io.read "*l" end
  if not answer or posix.signal.interruptions() > 0 then
    write "\n"
    return nil
  end
  return core.text.trim(answer)
end

-- What an answer says: true, false, or nil if it says neither.
local function read_answer(answer, number)
  answer = core.text.lower(answer)
  if answer == "" or answer == "n" or answer == "no" then return false end
  if number then return answer == ("%d"):format(number) or nil end
  return answer == "y" or answer == "yes" or nil
end

--- Asks until it is confirmed or denied; no answer denies it.
---@param question string
---@param number? integer what has to be typed to confirm it; nil: yes
---@return boolean
function M.confirm(question, number)
  while true do
    local answer = M.ask(("%s %s "):format(question, number and ("[type %d, or N]"):format(number) or "[y/N]"))
    if not answer then return false end
    local said = read_answer(answer, number)
    if said ~= nil then return said end
    write(number and ("Answer %d or n.\n"):format(number) or "Answer y or n.\n")
  end
end

return M
