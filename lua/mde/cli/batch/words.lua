--- words: how each response action is told: what its row says (src/core/response_actions.h), and what English needs
--- beside that.

local core = require "mde.core"

local rows = core.response_actions

local M = {}

---@class mde.cli.ResponseWords
---@field verb string "isolate"
---@field question string how it begins
---@field noun string
---@field past string "isolated": what a device is then, or the thing below
---@field thing string what of the device it is done to, with a blank behind it; mostly ""
---@field doing string what is done with all of them: "isolating %s"
---@field label string what the progress is called
---@field means string the line above the machines that are shown
---@field comment string the default
---@field opposite_past? string "released"
---@field taken_back string what was done to one that somebody has taken back: the same, or "cancelled"
---@field advice? table<string, string> what is to be known before it is done, by its scope
---@field example? string[] what comes next, for the help: a command line, and what it does
---@field holder? string what holds a device, if this or its opposite does: a name of a row

local SECURITY, CLEARED = "Possible security risk.", "No longer a security risk."

local own = {
  restrict = { noun = "restriction", past = "restricted", doing = "restricting %s", comment = SECURITY,
    means = "To be restricted to code signed by Microsoft:" },
  release = { noun = "release", past = "released", doing = "releasing %s", comment = CLEARED,
    means = "To be released, to run any code again:" },
  isolate = { noun = "isolation", past = "isolated", doing = "isolating %s", comment = SECURITY,
    means = "To be cut off the network, but for the service:",
    advice = { Full = "a device that reaches the service through a web proxy, or over a VPN that takes all its "
      .. "traffic, may not come back from Full; for such a device give --isolation-type Selective" } },
  unisolate = { noun = "release from isolation", past = "released from isolation",
    doing = "releasing %s from isolation", comment = CLEARED, means = "To be let onto the network again:" },
  contain = { noun = "containment", past = "contained", doing = "containing %s", comment = SECURITY,
    means = "To be contained, so that the onboarded devices block what comes from them:" },
  uncontain = { noun = "release from containment", past = "released from containment",
    doing = "releasing %s from containment", comment = CLEARED,
    means = "To be talked to again by the onboarded devices:" },
  scan = { noun = "scan", past = "scanned", doing = "scanning %s", comment = "To be scanned.",
    means = "To be scanned by Defender Antivirus:" },
  quarantine = { noun = "quarantine of the file", past = "quarantined", thing = "file ",
    doing = "quarantining the file on %s", comment = SECURITY,
    means = "To have the file's processes stopped and the file quarantined:" },
  collect = { noun = "collection", past = "collected", thing = "package ", doing = "collecting the packages of %s",
    comment = "To be investigated.", means = "To have their investigation packages collected:",
    example = { "mde package 5c1f9a52-0000-4000-8000-000000000001", "the link, once that action has succeeded" } },
}

local function capitalized(text)
  return core.text.upper(text:sub(1, 1)) .. text:sub(2)
end

local made = {}

-- One that is new in the table is told by its name, until there are words for it.
local function words_for(verb)
  return own[verb] or { noun = verb, past = verb .. " done", doing = verb .. " for %s", comment = SECURITY,
    means = ("To be told %s:"):format(verb) }
end

local function make(verb)
  local row, words = rows[verb], { thing = "" }
  for name, value in pairs(words_for(verb)) do words[name] = value end
  words.verb, words.question = verb, capitalized(verb)
  words.label = capitalized(words.doing:match "^%S+")
  words.holder = row.holds and verb or row.opposite and rows[row.opposite].holds and row.opposite or nil
  words.opposite_past = row.opposite and words_for(row.opposite).past
  words.taken_back = words.opposite_past or "cancelled"
  return words
end

--- How one is told.
---@param verb string the name of a row that makes an action
---@return mde.cli.ResponseWords
function M.of(verb)
  made[verb] = made[verb] or make(verb)
  return made[verb]
end

--- The names of those that make an action, in the order in which they are shown.
---@return string[]
function M.verbs()
  local verbs = {}
  for _, name in ipairs(rows) do
    if rows[name].kind == "acts" then verbs[#verbs + 1] = name end
  end
  return verbs
end

return M
