--- tag_text: what a tag may be, and whether a machine has it.

local core = require "mde.core"
local errors = require "mde.base.error"

local M = {}

--- Raises unless this can be a tag. One that others could not read, or could not type, is a mistake.
---@param tag any
---@param what string who is called, for the error
function M.check(tag, what)
  local got = type(tag) == "string" and errors.quote(tag) or tag == nil and "nil" or "a " .. type(tag)
  if type(tag) ~= "string" then
    errors.invalid("wrong_type", ("%s: a tag is a string, not %s"):format(what, got), "Find out where it comes from.")
  elseif not tag:find "%S" then
    errors.invalid("tag_empty", ("%s: the tag is empty"):format(what), "Find out why it is.")
  end
  local flaw, code = core.odata.flaw(tag)
  if not flaw and errors.escape(tag) ~= tag then flaw = "has characters in it that do not show" end
  if flaw then
    errors.invalid("tag_malformed",
      ("%s: the tag %s %s"):format(what, got, flaw), code == "not_utf8" and "Convert it to UTF-8 first."
      or "Take them out: nobody could type that tag.")
  end
end

--- The spellings of a tag that a machine has: case does not tell tags apart for people, but it may for the service.
---@param machine { machineTags?: string[] }
---@param tag string
---@return string[]
function M.spellings(machine, tag)
  local own = {}
  for _, other in ipairs(machine.machineTags or {}) do
    if type(other) == "string" and core.guard.tag(other) == core.guard.tag(tag) then own[#own + 1] = other end
  end
  return own
end

local function has(machine, tag)
  for _, own in ipairs(M.spellings(machine, tag)) do
    if own == tag then return true end
  end
  return false
end

---@class mde.TagVerb
---@field done fun(machine: table, tag: string): boolean whether it is so
---@field still string what the machine does if not, for errors

---@type table<"tag"|"untag", mde.TagVerb>
M.verbs = {
  tag = { done = function(machine, tag) return M.spellings(machine, tag)[1] ~= nil end, still = "lacks" },
  untag = { done = function(machine, tag) return not has(machine, tag) end, still = "still has" },
}

--- Whether a machine's tags can be told from an answer: a list of texts, or none.
---@param tags any
---@return boolean
function M.is_told(tags)
  for _, tag in pairs(type(tags) == "table" and tags or {}) do
    if type(tag) ~= "string" then return false end
  end
  return tags == nil or type(tags) == "table"
end

--- That the service took a change, and its answer shows the contrary.
---@param verb "tag"|"untag"
---@param machine_id string
---@return mde.Error
function M.unchanged(verb, machine_id)
  return errors.new { kind = "protocol", code = "tag_unchanged", machine_id = machine_id,
    message = ("the service took it, but by its answer the machine %s the tag"):format(M.verbs[verb].still),
    hint = "Read the machine again; if it is so, do it again." }
end

--- What the body says of a tag.
---@param verb "tag"|"untag"
---@param tag string
---@return table<string, string>
function M.body(verb, tag)
  local body = {}
  for _, field in ipairs(core.response_actions[verb].fields) do body[field.name] = field.value or tag end
  return body
end

return M
