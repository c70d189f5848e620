-- What every interpreter of the suite does before anything else (LUA_INIT, see tests/traced).
--
-- What asks the process's locale raises if it is called from lua/mde: string.lower, string.upper, and a number with a
-- fraction written by string.format. mde.core.text and mde.core.number do the same in every locale alike.
--
-- MDE_TEST_LOCALE="NAME before" sets a locale at once, "NAME after" when the first file of mde was loaded (see
-- tests/in_locale).

-- Whether the caller of what is forbidden is a file of lua/mde. LuaJIT forgets who made a tail call.
local function is_ours()
  local caller = debug.getinfo(3, "S")
  return caller ~= nil and caller.source:find("lua/mde/", 1, true) ~= nil
end

local function forbid(name, applies, instead)
  local original = string[name]
  string[name] = function(...)
    if applies(...) and is_ours() then
      error(("string.%s asks the locale: write %s"):format(name, instead), 2)
    end
    return original(...)
  end
end

local function always() return true end

forbid("lower", always, "core.text.lower")
forbid("upper", always, "core.text.upper")

-- Without the percent signs that stand for themselves.
local find, gsub = string.find, string.gsub
forbid("format", function(format)
  return type(format) == "string" and find((gsub(format, "%%%%", "")), "%%[-+ #0]*%d*%.?%d*[aAeEfFgG]") ~= nil
end, "core.number.write or core.number.whole")

-- ---- the locale

local name, when = (os.getenv "MDE_TEST_LOCALE" or ""):match "^(%S+) (%S+)$"

local function set()
  assert(os.setlocale(name) == name, "there is no locale " .. name)
end

if when == "before" then
  set()
elseif when == "after" then
  local original = require
  function require(module) -- luacheck: ignore 121
    local results = { original(module) }
    if when and (module == "mde" or find(module, "^mde%.")) then
      when = nil
      set()
    end
    return (table.unpack or unpack)(results) -- luacheck: ignore
  end
end
