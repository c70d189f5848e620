--- device_rows: the devices of a run in tables of HTML, with the second line that says which action it is.

local deeds = require "mde.run.deed"
local html = require "mde.cli.report.html"
local sentence = require "mde.cli.report.sentence"

local M = {}

local e = html.text

local function word(name)
  local one = sentence.words[name]
  return ('<span class="w %s"><span aria-hidden="true">%s</span> %s</span>'):format(one.part, one.sign, e(one.shown))
end

--- A word as it stands in a table.
M.word = word

--- The name of a device, for people.
---@param device mde.AccountDevice
---@return string html
function M.name(device)
  return e(device.name or device.id, 200)
end

-- ---- the second line

local function add(parts, label, value)
  if value and value ~= "" then parts[#parts + 1] = label .. value end
end

local function code(value)
  return value and ("<code>%s</code>"):format(e(value)) or nil
end

local function of_device(device)
  local parts = {}
  add(parts, "", e(device.platform))
  if device.is_server then add(parts, "", "server") end
  add(parts, "value ", device.device_value ~= "Normal" and e(device.device_value) or nil)
  if device.is_offline then add(parts, "", "not seen for an hour when the plan was made") end
  add(parts, "tags ", e(table.concat(device.tags, ", ")))
  add(parts, "machine ", code(device.id))
  return table.concat(parts, " \194\183 ")
end

local function of_change(change, day)
  local parts = {}
  add(parts, "", change.verb ~= "restrict" and e(deeds.shown(change.verb, change.scope)) or nil)
  add(parts, "file ", code(change.sha1))
  add(parts, "", sentence.note(change) and e(sentence.note(change), 1000))
  add(parts, "incident ", e(change.incident))
  add(parts, "until ", change.expires_at and html.time(change.expires_at, day))
  add(parts, "reason: ", e(change.reason or change.comment, 1000))
  add(parts, "operation ", code(change.operation_id))
  add(parts, "action ", code(change.action_id))
  return table.concat(parts, " \194\183 ")
end

local function second_line(device, day)
  local lines, many = { of_device(device) }, #device.changes > 1
  for _, change in ipairs(device.changes) do
    local words = of_change(change, day)
    if many then
      words = ("%s %s: %s"):format(e(deeds.shown(change.verb, change.scope)), e(sentence.words[change.word].shown),
        words)
    end
    if words ~= "" then lines[#lines + 1] = words end
  end
  return table.concat(lines, "<br>")
end

-- ---- the tables

-- So many devices are in one table; what is out of sight need not be laid out then.
local IN_ONE = 250

-- Writes devices in tables with this caption and these headings.
local function in_tables(out, devices, caption, headings, write)
  for from = 1, #devices, IN_ONE do
    local to = math.min(from + IN_ONE - 1, #devices)
    out('<div class="wide"><table>', caption)
    if #devices > IN_ONE then out((": %d to %d of %d"):format(from, to, #devices)) end
    out("</caption><thead><tr>", headings, "</tr></thead>\n")
    for i = from, to do write(devices[i]) end
    out "</table></div>\n"
  end
end

local function heading(words, class)
  return ('<th scope="col"%s>%s</th>'):format(class and (' class="%s"'):format(class) or "", words)
end

local function write_row(out, device, day, has_holders)
  local change = sentence.deciding(device) or {}
  local held = change.also_held and e(table.concat(change.also_held, ", "))
  out('<tbody class="row"><tr><th scope="row">', M.name(device), '</th><td class="word">', word(device.word),
    '</td><td class="when">', html.time(change.sent_at, day), '</td><td class="when">',
    html.time(change.done_at, day), "</td>", has_holders and ("<td>%s</td>"):format(held or "") or "",
    ('</tr><tr><td class="more" colspan="%d">'):format(has_holders and 5 or 4), second_line(device, day),
    "</td></tr></tbody>\n")
end

--- Devices with what came of each.
---@param out fun(...: string)
---@param devices mde.AccountDevice[]
---@param caption string html
---@param day? string that the page tells elsewhere
function M.table(out, devices, caption, day)
  local has_holders = false
  for _, device in ipairs(devices) do
    for _, change in ipairs(device.changes) do has_holders = has_holders or change.also_held ~= nil end
  end
  in_tables(out, devices, "<caption>" .. caption, heading("Device", "dev") .. heading("What came of it", "came")
    .. heading("Sent", "at") .. heading("Done", "at") .. (has_holders and heading "Held too by" or ""),
    function(device) write_row(out, device, day, has_holders) end)
end

--- Devices about which somebody has to do something.
---@param out fun(...: string)
---@param devices mde.AccountDevice[]
---@param name mde.AccountWord that they came to
---@param day? string that the page tells elsewhere
function M.needs(out, devices, name, day)
  local caption = ('<caption class="%s">%s: devices'):format(#devices > IN_ONE and "soft" or "near",
    e(sentence.words[name].shown))
  in_tables(out, devices, caption, heading("Device", "dev") .. heading("Sent", "at") .. heading "What is known",
    function(device)
      local change, known = sentence.deciding(device) or {}, {}
      add(known, "", sentence.note(change) and e(sentence.note(change), 1000))
      if device.is_offline then add(known, "", "not seen for an hour when the plan was made") end
      add(known, "incident ", e(change.incident))
      out('<tbody class="row"><tr><th scope="row">', M.name(device), "<br><small>", code(device.id),
        '</small></th><td class="when">', html.time(change.sent_at, day), "</td><td>",
        table.concat(known, " \194\183 "), "</td></tr></tbody>\n")
    end)
end

--- Devices with why each was left.
---@param out fun(...: string)
---@param devices mde.AccountDevice[]
---@param caption string html
function M.left(out, devices, caption)
  in_tables(out, devices, "<caption>" .. caption, heading("Device", "dev") .. heading "Why it was left",
    function(device)
      out('<tbody class="row"><tr><th scope="row">', M.name(device), '</th><td class="word">', word(device.word),
        '</td></tr><tr><td class="more" colspan="2">', second_line(device), "</td></tr></tbody>\n")
    end)
end

return M
