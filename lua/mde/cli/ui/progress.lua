--- progress: how many of several are done, in the last line of a terminal; elsewhere in a line now and then, or not
-- at all.

local terminal = require "mde.cli.ui.terminal"

local BAR_COLUMNS, LEAST_BAR_COLUMNS = 30, 10
-- Elsewhere than on a terminal a line is written for each part of the whole.
local PARTS = 10

local function with_failures(count)
  return count > 0 and (", %d failed"):format(count) or ""
end

-- The bar gives way to the words.
local function bar(label, done, total, failures, remark)
  local words = (" %d of %d%s%s"):format(done, total, with_failures(failures), remark and ", " .. remark or "")
  local room = terminal.status_columns() - #label - #words - #" []"
  local columns = math.max(LEAST_BAR_COLUMNS, math.min(BAR_COLUMNS, room))
  local filled = math.floor(columns * done / total)
  return ("%s [%s%s]%s"):format(label, ("#"):rep(filled), ("."):rep(columns - filled), words)
end

local M = {}

---@class mde.cli.Progress
---@field step fun(failed: boolean?) one more is done
---@field refresh fun() time has gone by; the remark may say something else now
---@field finish fun() takes the progress away

--- Begins to show how many of several are done.
---@param label string
---@param total integer of one alone nothing is shown
---@param in_lines? boolean whether lines are written where there is no terminal
---@param remark? fun(left: integer): string? what to add on a terminal, when so many are left
---@return mde.cli.Progress
function M.new(label, total, in_lines, remark)
  local done, failures, parts, drawn = 0, 0, 0, nil
  local wanted = total > 1 and not terminal.is_quiet()
  local visible = wanted and terminal.has_movable_line()
  in_lines = in_lines and wanted and not visible

  local function write_line()
    local reached = math.floor(PARTS * done / total)
    if reached == parts then return end
    parts = reached
    terminal.say(("%s: %d of %d%s"):format(label, done, total, with_failures(failures)))
  end

  local function draw()
    if in_lines then write_line() end
    if not visible then return end
    local line = bar(label, done, total, failures, remark and remark(total - done))
    if line ~= drawn then terminal.set_status(line) end
    drawn = line
  end
  draw()
  return {
    step = function(failed)
      done = done + 1
      if failed then failures = failures + 1 end
      draw()
    end,
    refresh = draw,
    finish = function() terminal.set_status(nil) end,
  }
end

return M
