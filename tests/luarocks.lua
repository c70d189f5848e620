-- What `luarocks test` runs: the tests of the Lua that LuaRocks works for, and those of the core.
--
--   luarocks --lua-version=5.4 test [-- PATTERN]
--
-- tests/run is the whole suite, on every Lua and under the sanitizers.

local lua = rawget(_G, "jit") and "luajit" or "lua" .. _VERSION:match "%d+%.%d+"
local pattern = arg[1] or ("^(%s|core)/"):format(lua:gsub("%.", "[.]"))
local quoted = "'" .. pattern:gsub("'", "'\\''") .. "'"
local status, _, code = os.execute("tests/run --without-sanitizers " .. quoted)
if type(status) == "number" then code = status == 0 and 0 or 1 end
os.exit(code)
