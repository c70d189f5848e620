--- page: the report of a run as one page of HTML, for people who have never seen this command.
--
-- Nothing in it runs, and nothing is loaded from elsewhere, so it can be mailed and opened anywhere. It is written as
-- it goes, for runs over 10,000 devices.

local core = require "mde.core"
local curves = require "mde.cli.report.curves"
local device_rows = require "mde.cli.report.device_rows"
local html = require "mde.cli.report.html"
local mde = require "mde"
local others = require "mde.cli.ui.others"
local phrase = require "mde.cli.ui.phrase"
local runs = require "mde.run"
local sentence = require "mde.cli.report.sentence"
local shell_word = require "mde.base.shell_word"
local style = require "mde.cli.report.style"

-- Of the list of all devices the first so many; what needs somebody and what was left alone is there whole.
local MAX_DEVICES = 2000
local MAX_PLAYBOOK_BYTES = 262144

local M = {}

---@class mde.cli.PageFacts
---@field account mde.RunAccount
---@field verification? mde.RunVerification
---@field made_at number Unix seconds, of the page

local e = html.text

local sections = { { "now", "What needs you now" }, { "numbers", "Numbers" }, { "timeline", "Timeline" },
  { "devices", "Devices" }, { "left", "Left alone" }, { "events", "Events" }, { "how", "How it was done" } }

local function heading(out, id)
  for _, one in ipairs(sections) do
    if one[1] == id then out(('<section aria-labelledby="%s"><h2 id="%s">%s</h2>\n'):format(id, id, one[2])) end
  end
end

local function close(out)
  out "</section>\n"
end

local function paragraph(out, words)
  out("<p>", words, "</p>\n")
end

local function command(words)
  return ('<code class="do">%s</code>'):format(e(words))
end

-- The day that all of it is of; nil if there are several.
local function day_of(account)
  local first, last = account.sessions[1], account.timeline and account.timeline.ended
  if not first or not first.began_at then return nil end
  local day = core.timestamp.whole(first.began_at):sub(1, 10)
  return (not last or core.timestamp.whole(last):sub(1, 10) == day) and day or nil
end

-- ---- 1: in a sentence

local function begin(out, account)
  out('<!DOCTYPE html>\n<html lang="en"><head>',
    ('<meta http-equiv="Content-Security-Policy" content="default-src \'none\'; style-src \'%s\'; base-uri \'none\'; ')
      :format(style.digest), 'form-action \'none\'">', '<meta charset="utf-8">',
    '<meta name="viewport" content="width=device-width, initial-scale=1">',
    '<meta name="referrer" content="no-referrer">', "<title>Run ", e(account.run.id), ": ",
    e(sentence.headline(account)), "</title>\n<style>", style.text, "</style></head><body>\n")
end

local function verified(verification)
  if not verification then
    return "What follows is what the record says. It was not compared with the service."
  end
  local at = html.time(verification.verified_at)
  local count = #verification.differences
  if count == 0 then
    return ("Verified against the service at %s UTC: %s, and nothing differs."):format(at,
      phrase.counted(verification.compared, "change"))
  end
  return ("Compared with the service at %s UTC: <strong>%s from the record</strong>, listed below."):format(at,
    count == 1 and "one thing differs" or ("%d things differ"):format(count))
end

local function needs_of(account)
  local count = 0
  for _, device in ipairs(account.devices) do
    if device.part == "needs" then count = count + 1 end
  end
  return count
end

-- Whether a verb was planned for a device, or done to one.
local function uses(account, verb)
  for _, device in ipairs(account.devices) do
    for _, change in ipairs(device.changes) do
      if change.verb == verb then return true end
    end
  end
  return false
end

local function head(out, facts)
  local account = facts.account
  local run, when, who = account.run, sentence.when(account), sentence.who(account)
  local kind = run.verb == "undo" and "Undo of a run" or run.state == "planned" and "Plan" or "Run report"
  out("<header><h1>", kind, ": ", e(run.incidents[1] and table.concat(run.incidents, ", ") or run.playbook), "</h1>\n")
  out('<p class="lead">', e(sentence.headline(account)), ".</p>\n")
  out(('<div class="box%s">'):format(sentence.is_open(run) and " needs"
    or (run.state ~= "complete" or run.undone_by or needs_of(account) > 0) and " open" or ""))
  paragraph(out, ("Run <code>%s</code>, %s: <strong>%s</strong>%s%s%s."):format(e(run.id), e(sentence.subject(account)),
    e(sentence.state(run)), run.why and (" (%s)"):format(e(run.why, 1000)) or "", when and ", " .. e(when) or "",
    who and ", by " .. e(who) or ""))
  if sentence.is_open(run) then paragraph(out, "To go on: " .. command("mde resume " .. shell_word.of(run.name))) end
  if run.undone_by then
    paragraph(out, "What follows is how it was before. How far it was taken back: "
      .. command("mde report " .. shell_word.of(run.undone_by)))
  end
  if run.life == "live" then
    paragraph(out, "The run goes on while you read this; a report made later shows more.")
  end
  paragraph(out, verified(facts.verification))
  local undone = facts.verification and sentence.undone(facts.verification)
  if undone then paragraph(out, e(undone)) end
  out "</div>\n"
  out('<p class="soft">A <em>restricted</em> device runs only programs that Microsoft has signed, until it is ',
    "<em>released</em>. It stays on the network, and nothing on it is deleted. ")
  if uses(account, "isolate") then
    out("An <em>isolated</em> device reaches nothing on the network but the service, until that is taken back. ")
  end
  out("This page says for each device what was asked of Microsoft Defender for Endpoint, and what came of it. ",
    "All times are UTC.</p>\n")
  out '<nav aria-label="Parts of this page"><ul>'
  for _, one in ipairs(sections) do out(('<li><a href="#%s">%s</a></li>'):format(one[1], one[2])) end
  out "</ul></nav></header>\n<main>\n"
end

-- ---- 2: what somebody has to do

local function differences(out, verification)
  if not verification or not verification.differences[1] then return end
  out('<h3>Not as the record says</h3>\n<div class="wide"><table><caption>What the service said at ',
    html.time(verification.verified_at), ' UTC</caption><thead><tr><th scope="col">Device</th>',
    '<th scope="col">Change</th><th scope="col">What differs</th></tr></thead><tbody>\n')
  for _, one in ipairs(verification.differences) do
    out('<tr><th scope="row">', e(one.name or one.machine_id, 200), "</th><td>", e(one.verb), "</td><td>",
      e(one.words, 1000), "</td></tr>\n")
  end
  out "</tbody></table></div>\n"
end

local function needs(out, facts, day)
  local account = facts.account
  heading(out, "now")
  differences(out, facts.verification)
  local count = needs_of(account)
  if count == 0 and account.not_reached == 0 and not sentence.is_open(account.run) then
    paragraph(out, account.run.life == "live" and "So far nothing." or "Nothing.")
  elseif count == 0 and sentence.is_open(account.run) then
    paragraph(out, "No single device; the run itself has not ended.")
  end
  if account.not_reached > 0 then
    paragraph(out, ("%s recorded earlier, and the playbook did not come by in its last session. They stay as they are.")
      :format(account.not_reached == 1 and "One change was" or ("%d changes were"):format(account.not_reached)))
  end
  for _, one in ipairs(runs.account_words) do
    local words, what = sentence.advice(one.word, account)
    if words and account.counts[one.word] then
      out("<h3>", device_rows.word(one.word), (" (%d)</h3>\n"):format(account.counts[one.word]))
      paragraph(out, e(core.text.upper(one.means:sub(1, 1)) .. one.means:sub(2)) .. ". " .. e(words))
      if what then paragraph(out, command(what)) end
      device_rows.needs(out, sentence.of_word(account, one.word), one.word, day)
    end
  end
  local pending, look = sentence.pending(account)
  if pending then paragraph(out, e(pending) .. " " .. command(look)) end
  close(out)
end

-- ---- 3: numbers

local function number_rows(out, list)
  for _, one in ipairs(list) do
    out('<tr><th scope="row">', one[1], '</th><td class="num">', ("%d"):format(one[2]), "</td></tr>\n")
  end
end

local function numbers(out, account)
  local counted = account.numbers
  heading(out, "numbers")
  out('<table class="few"><caption>Devices, by what came of them</caption><thead><tr><th scope="col">What</th>',
    '<th scope="col" class="num">Devices</th><th scope="col">That is</th></tr></thead><tbody>\n')
  for _, one in ipairs(runs.account_words) do
    if account.counts[one.word] then
      out('<tr><th scope="row">', device_rows.word(one.word), '</th><td class="num">',
        ("%d"):format(account.counts[one.word]), "</td><td>", e(one.means), "</td></tr>\n")
    end
  end
  out('<tr><th scope="row">together</th><td class="num">', ("%d"):format(#account.devices),
    "</td><td></td></tr>\n</tbody></table>\n")
  out('<table class="few"><caption>Changes, one for each device and incident</caption><thead><tr>',
    '<th scope="col">What</th><th scope="col" class="num">Changes</th></tr></thead><tbody>\n')
  number_rows(out, { { "planned", counted.planned }, { "sent", counted.sent },
    { "accepted by the service", counted.accepted }, { "carried out by the device", counted.succeeded },
    { "not carried out (failed)", counted.failed } })
  for _, one in ipairs(account.rules) do
    number_rows(out, { { ("left by the rule <code>%s</code>"):format(e(one.rule)), one.count } })
  end
  if account.unresolvable[1] then
    number_rows(out, { { "names that meant no device, or several", #account.unresolvable } })
  end
  out "</tbody></table>\n"
  if account.waves[2] then
    out('<div class="wide"><table class="few"><caption>Waves: few devices come first, and more follow when the gate ',
      'behind a wave has let them</caption><thead><tr><th scope="col">Wave</th>',
      '<th scope="col" class="num">Planned</th><th scope="col" class="num">Sent</th>',
      '<th scope="col" class="num">Carried out</th><th scope="col">The gate behind it</th></tr></thead><tbody>\n')
    for _, one in ipairs(account.waves) do
      out('<tr><th scope="row">', ("%d"):format(one.wave), one.verb == "restrict" and "" or " of " .. e(one.verb),
        ('</th><td class="num">%d</td><td class="num">%d</td><td class="num">%d</td><td>'):format(one.planned,
          one.sent, one.succeeded), e(one.verdict), "</td></tr>\n")
    end
    out "</tbody></table></div>\n"
  end
  close(out)
end

-- ---- 4: over time

local function over_time(out, account, day)
  local timeline = account.timeline
  heading(out, "timeline")
  if not timeline then
    paragraph(out, "Nothing was sent.")
    return close(out)
  end
  paragraph(out, "How many changes were sent to the service, accepted by it and carried out by the devices by when. "
    .. "Waves are shaded; dotted lines are where a session of the run began or ended.")
  out "<figure>"
  curves.draw(out, timeline)
  out "</figure>\n"
  out(('<table class="few"><caption>The same in numbers%s</caption><thead><tr><th scope="col">By (UTC)</th>'):format(
    day and ", " .. day or ""), '<th scope="col" class="num">Sent</th><th scope="col" class="num">Accepted</th>',
    '<th scope="col" class="num">Carried out</th></tr></thead><tbody>\n')
  for _, row in ipairs(timeline.rows) do
    out('<tr><th scope="row">', html.time(row.at, day), '</th><td class="num">',
      ('%d</td><td class="num">%d</td><td class="num">%d</td></tr>\n'):format(row.sent, row.accepted, row.succeeded))
  end
  out "</tbody></table>\n"
  close(out)
end

-- ---- 5 and 6: the devices

local function devices(out, account, day)
  local list, total = {}, 0
  heading(out, "devices")
  for _, device in ipairs(account.devices) do
    if device.part ~= "left" then
      total = total + 1
      if total <= MAX_DEVICES then list[total] = device end
    end
  end
  if total == 0 then
    paragraph(out, "The run changed no device, and was to change none.")
    return close(out)
  end
  local caption = ("Devices that were to be changed, those first that need somebody%s"):format(
    day and "; times of " .. day or "")
  if total > #list then caption = ("%s; the first %d of %d"):format(caption, #list, total) end
  device_rows.table(out, list, caption, day)
  if total > #list then
    paragraph(out, ("The rest, %d devices: %s"):format(total - #list,
      command(("mde report %s --csv"):format(shell_word.of(account.run.name)))))
  end
  close(out)
end

local function left_alone(out, account)
  local list = {}
  heading(out, "left")
  for _, device in ipairs(account.devices) do
    if device.part == "left" then list[#list + 1] = device end
  end
  if list[1] then
    device_rows.left(out, list, "Devices that the playbook named and that were left as they were")
  else
    paragraph(out, "No device was left alone.")
  end
  if account.unresolvable[1] then
    out('<div class="wide"><table><caption>Names that meant no device, or several</caption><thead><tr>',
      '<th scope="col">Name</th><th scope="col">Why</th></tr></thead><tbody>\n')
    for _, one in ipairs(account.unresolvable) do
      out('<tr><th scope="row">', e(one.asked), "</th><td>", e(one.why, 1000), "</td></tr>\n")
    end
    out "</tbody></table></div>\n"
  end
  if account.beyond[1] then
    out('<div class="wide"><table><caption>What the playbook asked for and the plan does not have',
      '</caption><thead><tr><th scope="col" class="dev">Device</th><th scope="col">Why it was left</th></tr></thead>',
      "<tbody>\n")
    for _, one in ipairs(account.beyond) do
      out('<tr><th scope="row">', e(one.name or one.machine_id), "</th><td>", e(one.said or one.verb, 1000),
        "</td></tr>\n")
    end
    out "</tbody></table></div>\n"
  end
  if account.others[1] then
    out "<h3>What else the playbook was to change</h3>\n<ul>\n"
    for _, line in ipairs(others.lines(account.others)) do out("<li>", e(line), "</li>\n") end
    for _, line in ipairs(others.not_done(account.others_sent)) do out("<li>", e(line, 1000), "</li>\n") end
    out "</ul>\n"
  end
  close(out)
end

-- ---- 7 and 8: the run itself

-- What happened to the run, with its sessions, in order of time.
local function events_of(account)
  local list = {}
  local function add(at, kind, detail)
    list[#list + 1] = { at = at, kind = kind, detail = detail, place = #list }
  end
  for _, session in ipairs(account.sessions) do
    add(session.began_at, ("session %d began"):format(session.n),
      ("%s on %s, process %d"):format(session.who or "somebody", session.host, session.pid))
    if session.ended_at then add(session.ended_at, ("session %d ended"):format(session.n)) end
  end
  for _, event in ipairs(account.events) do add(event.at, event.kind, event.detail) end
  table.sort(list, function(a, b)
    if (a.at or 0) ~= (b.at or 0) then return (a.at or 0) < (b.at or 0) end
    return a.place < b.place
  end)
  return list
end

local function events(out, account, day)
  local list = events_of(account)
  heading(out, "events")
  if not list[1] then
    paragraph(out, "None.")
    return close(out)
  end
  out(('<div class="wide"><table><caption>What happened to the run as a whole%s</caption>'):format(
    day and ", on " .. day or ""), '<thead><tr><th scope="col">When (UTC)</th><th scope="col">What</th>',
    '<th scope="col">More</th></tr></thead><tbody>\n')
  for _, event in ipairs(list) do
    out('<tr><th scope="row">', html.time(event.at, day), "</th><td>", e(event.kind), "</td><td>",
      e(event.detail, 1000), "</td></tr>\n")
  end
  out "</tbody></table></div>\n"
  close(out)
end

local function fact(out, name, value)
  if value and value ~= "" then out("<dt>", name, "</dt><dd>", value, "</dd>\n") end
end

-- The scheme is left away: nothing on the page is an address that can be followed.
local function host_of(url)
  return (url:gsub("^[A-Za-z]+://", ""))
end

local function code(value)
  return value and ("<code>%s</code>"):format(e(value)) or nil
end

local function arguments_of(run)
  local list = {}
  for i, argument in ipairs(run.arguments) do list[i] = code(argument) end
  return table.concat(list, " ")
end

local function settings_of(run)
  local names, list = {}, {}
  for name in pairs(run.settings) do names[#names + 1] = name end
  table.sort(names, core.text.before)
  for i, name in ipairs(names) do list[i] = ("%s <code>%s</code>"):format(e(name), e(run.settings[name], 2000)) end
  return table.concat(list, "<br>")
end

local function modules_of(run)
  local list = {}
  for i, module in ipairs(run.modules) do
    list[i] = ("%s <code>%s</code> %s"):format(e(module.name), e(module.digest), e(module.path))
  end
  return table.concat(list, "<br>")
end

local function versions_of(account)
  local list, seen = {}, {}
  for _, session in ipairs(account.sessions) do
    if not seen[session.mde] then list[#list + 1] = "mde " .. e(session.mde) end
    seen[session.mde] = true
  end
  return table.concat(list, ", ")
end

local function how(out, account)
  local run = account.run
  heading(out, "how")
  if run.verb == "undo" then
    paragraph(out, "This run took back what another run had done. Devices that somebody else holds were left as they "
      .. "were.")
  else
    paragraph(out, "A playbook is a small program that says which devices are meant. It was first run without changing "
      .. "anything, which made the plan; then it was run for real, and what the plan did not show was not cut off. "
      .. "The plan was made with every wait for a device taken to succeed.")
  end
  out "<dl>\n"
  fact(out, "Run", code(run.id))
  fact(out, "Takes back the run", code(run.undoes))
  fact(out, "Plan made", run.made_at and html.time(run.made_at))
  fact(out, "Digest of the plan", code(run.plan_digest))
  fact(out, "Playbook", e(run.playbook))
  fact(out, "Digest of the playbook", code(run.playbook_digest))
  fact(out, "Arguments", arguments_of(run))
  fact(out, "Settings", settings_of(run))
  fact(out, "Modules", modules_of(run))
  fact(out, "Tenant", e(run.tenant_id))
  fact(out, "Application", e(run.client_id))
  fact(out, "Service", e(host_of(run.base_url)))
  fact(out, "Version", versions_of(account))
  out "</dl>\n"
  if run.playbook_text ~= "" then
    out('<h3>The text of the playbook</h3>\n<pre tabindex="0">',
      html.lines(run.playbook_text, MAX_PLAYBOOK_BYTES), "</pre>\n")
  end
  close(out)
end

-- ---- 9: where it comes from

local function foot(out, facts)
  local run = facts.account.run
  out("</main>\n<footer><p>Made at ", html.time(facts.made_at), " UTC by ", e(mde._VERSION), " from the record ",
    code(run.path), ". ", verified(facts.verification), "</p></footer>\n</body></html>\n")
end

--- Writes the page.
---@param out fun(...: string)
---@param facts mde.cli.PageFacts
function M.write(out, facts)
  local account = facts.account
  local day = day_of(account)
  begin(out, account)
  head(out, facts)
  needs(out, facts, day)
  numbers(out, account)
  over_time(out, account, day)
  devices(out, account, day)
  left_alone(out, account)
  events(out, account, day)
  how(out, account)
  foot(out, facts)
end

return M
