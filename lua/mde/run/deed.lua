--- deed: what a run does to a device, in words, and which of its deeds its plan has to show.

local core = require "mde.core"
local responses = require "mde.action.response"

local rows = core.response_actions

local M = {}

---@class mde.RunDeed
---@field done mde.AccountWord what a device came to when it was done
---@field means string the same in a sentence
---@field noun string "of the restriction"
---@field does string what the plan does: "among those that the plan restricts"
---@field asks string "restrict %s", with a place for "these 12"
---@field title string "To be restricted"
---@field count string "%d of %s restricted", with places for 11 and "12 devices"

---@type table<string, mde.RunDeed>
local deeds = {
  restrict = { done = "restricted", noun = "restriction", does = "restricts",
    means = "the device runs only code that Microsoft has signed" },
  release = { done = "released", noun = "release", does = "releases", means = "the device runs any code again" },
  isolate = { done = "isolated", noun = "isolation", does = "isolates",
    means = "the device is cut off the network, but for the service" },
  unisolate = { done = "unisolated", noun = "end of the isolation", does = "unisolates",
    means = "the device is on the network again" },
  contain = { done = "contained", noun = "containment", does = "contains",
    means = "the other devices block what comes from the device" },
  uncontain = { done = "uncontained", noun = "end of the containment", does = "uncontains",
    means = "the other devices talk to the device again" },
  scan = { done = "scanned", noun = "scan", does = "scans", means = "Defender Antivirus has scanned the device" },
  quarantine = { done = "file_quarantined", noun = "quarantine", does = "quarantines this file on",
    means = "the file is stopped and in quarantine", asks = "quarantine a file on %s",
    title = "To have a file quarantined", count = "a file quarantined on %d of %s" },
  collect = { done = "package_collected", noun = "collection", does = "collects a package from",
    means = "the investigation package of the device can be fetched", asks = "collect a package from %s",
    title = "To have a package collected", count = "a package collected from %d of %s" },
}

for verb, deed in pairs(deeds) do
  deed.asks = deed.asks or verb .. " %s"
  deed.title = deed.title or "To be " .. deed.done
  deed.count = deed.count or "%d of %s " .. deed.done
end

--- The verbs, those first that cut a device off.
---@type string[]
M.verbs = {}

for _, holds in ipairs { true, false } do
  for _, verb in ipairs(responses.verbs) do
    if rows[verb].holds == holds then M.verbs[#M.verbs + 1] = verb end
  end
end

--- What a run does with a verb; nil: that is no response action.
---@param verb string
---@return mde.RunDeed?
function M.of(verb) return deeds[verb] end

--- What a device came to, for people: "restricted".
---@param verb string
---@return string
function M.done(verb)
  local deed = deeds[verb]
  return deed and (deed.done:gsub("_", " ")) or verb
end

--- Whether it cuts a device off, so that few go first.
---@param verb string
---@return boolean
function M.cuts_off(verb)
  return deeds[verb] ~= nil and rows[verb].holds
end

--- Whether it is not done unless the plan shows it: what cuts a device off, and a quarantine, which nothing takes back.
---@param verb string
---@return boolean
function M.is_bound(verb)
  return deeds[verb] ~= nil and (rows[verb].holds or rows[verb].is_capped)
end

--- What tells apart what is done to one device: the verb, with the scope or the file.
---@param machine_id string
---@param verb string
---@param subject? string
---@return string
function M.key(machine_id, verb, subject)
  return table.concat({ machine_id, verb, subject or "" }, "\0")
end

--- What the scope or the file of a verb is called in data.
---@param verb string
---@return "scope"|"sha1"|nil
function M.subject_name(verb)
  local subject = rows[verb] and rows[verb].subject
  return subject == "file" and "sha1" or subject
end

--- Before each change of a plan had a wave of its own, its device had one: that in which it was restricted.
---@param changes { verb: string, decision: string, wave?: integer }[]
---@param wave? integer of the device
function M.mend_waves(changes, wave)
  for _, change in ipairs(changes) do
    if change.verb == "restrict" and change.decision == "restrict" then change.wave = change.wave or wave end
  end
end

--- A verb with its scope or file, as it is shown: "isolate (Selective)".
---@param verb string
---@param subject? string
---@return string
function M.shown(verb, subject)
  return subject and ("%s (%s)"):format(verb, subject) or verb
end

return M
