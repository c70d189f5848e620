-- What asks the process's locale raises if it is called from lua/mde: string.lower, string.upper, and a number with a
-- fraction written by string.format. Every interpreter of the suite loads this file before anything else (LUA_INIT, see
-- tests/traced). mde.core.text and mde.core.number do the same in every locale alike.

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
