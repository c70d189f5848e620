-- A page of HTML read strictly, as a reader that wants to find fault does: every tag, its attributes, and what stands
-- between.
--
--   local tags, texts = markup.read(html)     -- raises where the page is not well made

local markup = {}

-- Not busted's, which is slow.
local function check(value, words, ...)
  if not value then error(words:format(...), 0) end
  return value
end

-- Those without an end, and those of a drawing that end in themselves.
local void = { meta = true, br = true }

local entities = { ["&amp;"] = "&", ["&lt;"] = "<", ["&gt;"] = ">", ["&quot;"] = '"', ["&#39;"] = "'" }

-- The text that stands for what is written; raises for what is no entity of ours.
local function decode(text)
  return (text:gsub("&[^;]*;?", function(name)
    return check(entities[name], "not an entity: %s", name)
  end))
end

markup.decode = decode

local function attributes_of(rest, tag)
  local own, at = {}, 1
  while true do
    local name, value, after = rest:match('^%s+([%w-]+)="([^"<>]*)"()', at)
    if not name then break end
    check(not own[name], "<%s> has two attributes %s", tag, name)
    own[name], at = decode(value), after
  end
  check(rest:find("^%s*/?$", at), "what is this in <%s>: %s", tag, rest)
  return own
end

--- Every tag in its order: { name, attributes, text } with the text up to the next tag; and all texts.
---@param html string
---@return { name: string, attributes: table<string, string>, text: string }[] tags ends are called "/p"
---@return string text all that is shown
function markup.read(html)
  local tags, open, texts = {}, {}, {}
  local at = check(select(2, html:find "^<!DOCTYPE html>\n"), "no doctype") + 1
  while at <= #html do
    local text, inside, after = html:match("^([^<]*)<([^<>]*)>()", at)
    if not text then
      check(html:find("^%s*$", at), "what is this at the end: %s", html:sub(at, at + 80))
      break
    end
    check(not text:find(">", 1, true), "a > in the text: %s", text)
    local name, rest = inside:match "^(/?%a%w*)(.*)$"
    check(name, "what is this: <%s>", inside)
    if tags[1] then tags[#tags].text = tags[#tags].name == "style" and text or decode(text) end
    if open[#open] ~= "style" then texts[#texts + 1] = decode(text) end
    if name:sub(1, 1) == "/" then
      local last = table.remove(open)
      check(name == "/" .. tostring(last), "<%s> ends <%s>", name, tostring(last))
    elseif not void[name] and not rest:find "/$" then
      open[#open + 1] = name
    end
    tags[#tags + 1] = { name = name, attributes = attributes_of(rest, name), text = "" }
    at = after
  end
  check(not open[1], "<%s> does not end", tostring(open[#open]))
  return tags, table.concat(texts, " ")
end

--- Those of one name.
function markup.named(tags, name)
  local list = {}
  for _, tag in ipairs(tags) do
    if tag.name == name then list[#list + 1] = tag end
  end
  return list
end

return markup
