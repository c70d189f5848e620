--- update: changes an alert or an incident: its status, who has it, what it was found to be, a comment.
--
-- Both sources take Graph's names and values here; what one of them does not know is refused. Everything but a comment
-- is the same when it is written twice. A comment is not, so it is looked for before it is written: one with this text
-- that is there already is not written again, and the writes to one alert go one after the other. Where the answer to
-- a write was lost, or does not show it, the alert is read. What is told as written was seen; the outcome is unknown
-- where a lost write is not seen, or nothing is read.

local alert_values = require "mde.query.alert_values"
local alerts = require "mde.alert.alert"
local core = require "mde.core"
local errors = require "mde.base.error"
local incidents = require "mde.alert.incident"
local options_of = require "mde.base.options"
local reading = require "mde.alert.reading"

local ACTION_SECONDS = 120
local DO_AGAIN = "Do it again: what is written already stays as it is, and a comment is not written twice."

local M = {}

---@class mde.AlertChanges what is changed; at least one
---@field status? mde.AlertStatus
---@field assignedTo? string
---@field classification? mde.AlertClassification
---@field determination? string
---@field comment? string

---@class mde.IncidentChanges what is changed; at least one
---@field status? "active"|"inProgress"|"resolved"
---@field assignedTo? string
---@field classification? mde.AlertClassification
---@field determination? string
---@field severity? mde.AlertSeverity
---@field resolvingComment? string
---@field customTags? string[] all of them: those that are not named are taken away
---@field comment? string

-- ---- what may be changed

-- What the page of the service's documentation calls what the metadata has otherwise.
local other_names = { compromisedUser = "compromisedAccount", clean = "notMalicious",
  insufficientData = "notEnoughDataToValidate", confirmedUserActivity = "confirmedActivity" }

local function one_of(list)
  local known = {}
  for _, value in ipairs(list) do known[value] = true end
  return function(value, name, what)
    if known[value] then return value end
    local near = type(value) == "string" and (other_names[value] or options_of.nearest(value, known))
    errors.invalid("wrong_value", ("%s: %s must be one of %s, not %s"):format(what, name, table.concat(list, ", "),
      errors.got(value)), near and ("Did you mean %q?"):format(near) or nil)
  end
end

local function text(value, name, what)
  if type(value) ~= "string" then
    errors.invalid("wrong_type", ("%s: %s must be a text, not %s"):format(what, name, errors.got(value)))
  elseif not value:find "%S" then
    errors.invalid("empty_text", ("%s: %s is an empty text"):format(what, name), "Find out why it is empty.")
  elseif not core.text.is_utf8(value) or value:find("%z") then
    errors.invalid("text_malformed", ("%s: %s %s is not valid UTF-8, or has a NUL in it"):format(what, name,
      errors.quote(value)), "Convert it to UTF-8 first, or give mde.comment(text).")
  end
  return value
end

local function list_of_texts(value, name, what)
  if type(value) ~= "table" then
    errors.invalid("wrong_type", ("%s: %s must be a list of texts, not %s"):format(what, name, errors.got(value)))
  end
  options_of.check_list(value, what .. ": " .. name)
  for i, item in ipairs(value) do text(item, ("%s[%d]"):format(name, i), what) end
  return value
end

local determination = one_of(alert_values.determinations)

local function defenders_determination(value, name, what)
  determination(value, name, what)
  if alert_values.spellings.determination[value] then return value end
  errors.invalid("wrong_value", ("%s: the source \"defender\" has no determination %s"):format(what,
    errors.quote(value)), 'Microsoft Graph takes it: give { source = "graph" }.')
end

local checks = {
  defender = { status = one_of(alert_values.statuses), assignedTo = text,
    classification = one_of(alert_values.classifications), determination = defenders_determination, comment = text },
  graph = { status = one_of(alert_values.statuses), assignedTo = text,
    classification = one_of(alert_values.classifications), determination = determination, comment = text },
  incident = { status = one_of { "active", "inProgress", "resolved" }, assignedTo = text,
    classification = one_of(alert_values.classifications), determination = determination,
    severity = one_of(alert_values.severities), resolvingComment = text, customTags = list_of_texts, comment = text },
}

-- The fields and the comment that are to be changed. Raises unless each is known and fits.
local function read_changes(changes, place, what)
  if type(changes) ~= "table" then
    errors.invalid(changes == nil and "missing_value" or "wrong_type",
      ("%s needs a table of what to change, not %s"):format(what, errors.got(changes)),
      'Write { status = "inProgress", comment = "..." }, say.')
  end
  local known, fields, count = checks[place], {}, 0
  for name, value in pairs(changes) do
    local check = known[name]
    if not check then
      local near = type(name) == "string" and options_of.nearest(name, known)
      errors.invalid("unknown_field", ("%s cannot change %s"):format(what, errors.quote(name)),
        near and ("Did you mean %q?"):format(near) or ("It changes %s."):format(options_of.listed(known)))
    end
    fields[name], count = check(value, name, what), count + 1
  end
  if count == 0 then
    errors.invalid("nothing_to_change", ("%s: the table of what to change is empty"):format(what),
      'A field that is nil leaves nothing behind. Write { status = "inProgress" }, say.')
  end
  local comment = fields.comment
  fields.comment = nil
  return fields, comment
end

-- ---- writing

-- What is read again: the alert, or the incident.
local function read_again(exchange, place, id, context)
  if place == "incident" then return reading.incident(exchange, id, context) end
  return reading.alert(exchange, id, place, context)
end

-- A comment as it is compared: a service may trim it, and write the ends of its lines otherwise.
local function bare(comment)
  return core.text.trim((comment:gsub("\r\n?", "\n")))
end

local function has_comment(subject, comment)
  local wanted = bare(comment)
  for _, own in ipairs(subject.comments) do
    if bare(own.comment) == wanted then return true end
  end
  return false
end

-- A text as it is compared: a service may trim a name, or write it in small letters.
local function compared(value)
  return type(value) == "string" and core.text.lower(core.text.trim(value)) or value
end

-- Whether two lists have the same items, in whichever order.
local function is_same_set(a, b)
  local has = {}
  for _, item in ipairs(a) do has[compared(item)] = true end
  for _, item in ipairs(b) do
    if not has[compared(item)] then return false end
    has[compared(item)] = false
  end
  for _, is_missing in pairs(has) do
    if is_missing then return false end
  end
  return true
end

local function has_fields(subject, fields)
  for name, value in pairs(fields) do
    local own = subject[name]
    local is_set = type(value) == "table" and type(own) == "table" and is_same_set(value, own)
    if not is_set and compared(own) ~= compared(value) then return false end
  end
  return true
end

---@class mde.AlertWriting
---@field exchange mde.Exchange
---@field place mde.AlertSourceName|"incident"
---@field id string
---@field noun "alert"|"incident"
---@field context mde.Context the caller's, without the time that one write may take

-- A row of an answer, in its shape.
local function shaped(w, row)
  if w.place == "incident" then return incidents.of_row(row) end
  return alerts.of_row(row, w.place)
end

-- Sends one write. The answer; or, where that was lost, nil and what is read then, if `is_done` tells that it was
-- written.
---@param w mde.AlertWriting
local function send(w, method, path, body, usable, is_done)
  local of = reading.places[w.place]
  local answer, err = w.exchange:call {
    method = method, resource = of.resource, path = of.path .. core.odata.encode(w.id) .. path, kind = "action",
    api = of.api, permission = of.writing, context = w.context, body = body, usable = usable, answers_list = true,
  }
  if answer then return answer end
  if err.kind == "not_found" then
    return nil, nil, errors.derive(err, { code = w.noun == "alert" and "no_such_alert" or "no_such_incident",
      message = ("the service knows no %s %s"):format(w.noun, errors.quote(w.id)) })
  elseif err.kind ~= "unknown" then
    return nil, nil, err
  end
  local subject, problem = read_again(w.exchange, w.place, w.id, w.context)
  if subject and is_done(subject) then return nil, subject end
  return nil, nil, errors.derive(err, { code = "alert_write_unknown", cause = problem or nil,
    hint = (subject and "It was read since, and is not changed yet. " or "It could not be read since. ") .. DO_AGAIN })
end

-- What an answer shows, if it is as it was to be; else what is read then. A service may answer with less than it has.
---@param w mde.AlertWriting
local function confirmed(w, subject, is_done)
  if is_done(subject) then return subject end
  local read, err = read_again(w.exchange, w.place, w.id, w.context)
  if not read then
    return nil, errors.derive(err, { kind = "unknown", code = "alert_write_unknown", cause = err, hint = DO_AGAIN,
      message = ("the service took it, but its answer does not show it, and the %s could not be read since: %s"):format(
        w.noun, err.message) })
  elseif is_done(read) then
    return read
  end
  return nil, errors.new { kind = "protocol", code = "alert_unchanged",
    message = ("the service took it, but the %s was read since, and is not as it was to be"):format(w.noun),
    hint = ("Read the %s again; if it is so, do it again."):format(w.noun) }
end

-- The fields as a source takes them.
local function body_of(place, fields)
  local body = {}
  for name, value in pairs(fields) do
    local spellings = place == "defender" and alert_values.spellings[name]
    body[name] = spellings and spellings[value] or value
  end
  return body
end

-- Writes the fields, of Defender for Endpoint with the comment.
local function write_fields(w, fields, comment)
  local body = body_of(w.place, fields)
  body.comment = comment
  local function is_done(subject)
    return has_fields(subject, fields) and (not comment or has_comment(subject, comment))
  end
  local row, subject, err = send(w, "PATCH", "", body, reading.is_row_of(w.id, w.noun), is_done)
  if not row then return subject, err end
  return confirmed(w, shaped(w, row), is_done)
end

-- Writes a comment to what was read before, by Graph, which answers with all comments.
local function write_comment(w, subject, comment)
  local function is_done(found) return has_comment(found, comment) end
  local answer, read, err = send(w, "POST", "/comments", { ["@odata.type"] = "microsoft.graph.security.alertComment",
    comment = comment }, nil, is_done)
  if not answer then return read, err end
  subject.comments = alerts.comments_of_graph { comments = answer.value }
  return confirmed(w, subject, is_done)
end

local function redirected(incident)
  return errors.new { kind = "conflict", code = "incident_redirected",
    message = ("nothing was written: incident %s was merged into incident %s"):format(errors.show(incident.id),
      errors.quote(incident.redirectIncidentId or "of an unknown number")),
    hint = ("Write to that one: mde.update_incident(%s, ...)."):format(errors.quote(incident.redirectIncidentId
      or "ID")) }
end

---@param w mde.AlertWriting
local function change(w, fields, comment)
  local subject, err
  if w.place == "incident" or comment then
    subject, err = read_again(w.exchange, w.place, w.id, w.context)
    if not subject then return nil, err end
    if subject.status == "redirected" or subject.redirectIncidentId then return nil, redirected(subject) end
    if comment and has_comment(subject, comment) then comment = nil end
  end
  local of_fields = w.place == "defender" and comment or nil
  if next(fields) ~= nil or of_fields then
    local of_alerts = subject and subject.alerts
    subject, err = write_fields(w, fields, of_fields)
    if not subject then return nil, err end
    subject.alerts = subject.alerts or of_alerts
  end
  if not comment or of_fields then return subject end
  subject, err = write_comment(w, subject, comment)
  if not subject and next(fields) ~= nil then
    err = errors.derive(err, { message = "its fields were changed. The comment: " .. err.message })
  end
  return subject, err
end

-- The same when nobody else of the client's writes to it, nor of its store's: two that find the comment missing at the
-- same time would both write it. Waiting is at the cost of the caller's own time alone.
---@param w mde.AlertWriting
local function change_in_turn(w, fields, comment)
  local exchange, context = w.exchange, w.context
  local patience = math.min(context:left(), ACTION_SECONDS + exchange:queue(reading.places[w.place].api))
  local done, subject, err = exchange.mutex:take(w.noun .. "|" .. core.text.lower(w.id), math.max(0, patience),
    function()
      w.context = context:within(ACTION_SECONDS)
      return change(w, fields, comment)
    end)
  if done then return subject, err end
  return nil, errors.new { kind = "unavailable", code = "alert_busy",
    message = ("another write to the %s was still under way when the time was up; nothing was written"):format(w.noun),
    hint = "Try again." }
end

local function write(w, fields, comment)
  local of = ("update %s %s"):format(w.noun, errors.quote(w.id))
  local subject, err = w.exchange.single_flight:run_detached(w.context, change_in_turn, w, fields, comment)
  if not subject then return nil, errors.about(err, of) end
  return subject
end

--- Checks what is to be written to an alert. Raises for what does not fit.
---@param alert mde.Alert|string
---@param changes mde.AlertChanges
---@param source mde.AlertSourceName
---@return string id
function M.check_alert(alert, changes, source)
  local id = alerts.check_id(alert, "mde.update_alert", "alert")
  read_changes(changes, source, "mde.update_alert")
  return id
end

--- Writes to an alert.
---@param exchange mde.Exchange
---@param alert mde.Alert|string
---@param changes mde.AlertChanges
---@param source mde.AlertSourceName
---@param context mde.Context
---@return table? alert as it is now
---@return mde.Error? err
function M.alert(exchange, alert, changes, source, context)
  local id = M.check_alert(alert, changes, source)
  local fields, comment = read_changes(changes, source, "mde.update_alert")
  return write({ exchange = exchange, place = source, id = id, noun = "alert", context = context },
    fields, comment)
end

--- Checks what is to be written to an incident. Raises for what does not fit.
---@param incident mde.Incident|string|integer
---@param changes mde.IncidentChanges
---@return string id
function M.check_incident(incident, changes)
  local id = alerts.check_id(incident, "mde.update_incident", "incident")
  read_changes(changes, "incident", "mde.update_incident")
  return id
end

--- Writes to an incident.
---@param exchange mde.Exchange
---@param incident mde.Incident|string|integer
---@param changes mde.IncidentChanges
---@param context mde.Context
---@return table? incident as it is now, with its alerts
---@return mde.Error? err
function M.incident(exchange, incident, changes, context)
  local id = M.check_incident(incident, changes)
  local fields, comment = read_changes(changes, "incident", "mde.update_incident")
  return write({ exchange = exchange, place = "incident", id = id, noun = "incident", context = context },
    fields, comment)
end


return M
