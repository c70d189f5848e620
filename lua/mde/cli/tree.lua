--- Where Lua finds the modules of one tree, whatever the name of its directory: `package.path` cannot have one with
--- a semicolon or a question mark in it.

local function loader_of_file(path)
  local file = io.open(path)
  if not file then return nil end
  file:close()
  local loader, problem = loadfile(path)
  return loader or error(problem, 0)
end

local function loader_in_c(path, name)
  local file = io.open(path)
  if not file then return nil end
  file:close()
  local loader, problem, what = package.loadlib(path, "luaopen_" .. name:gsub("%.", "_"))
  return loader or what ~= "init" and error(problem, 0) or nil
end

--- Searches a tree before all other places, for its own modules and for others that are in it.
---@param share string the directory that has mde/init.lua
---@param lib? string the directory that has mde/core.so
return function(share, lib)
  local searchers = rawget(package, "searchers") or rawget(package, "loaders") -- the name in 5.1
  table.insert(searchers, 2, function(name)
    local path = "/" .. name:gsub("%.", "/")
    local loader = loader_of_file(share .. path .. ".lua") or loader_of_file(share .. path .. "/init.lua")
    if lib then
      -- A library may be of several modules: cjson.so is cjson.safe, too.
      loader = loader or loader_in_c(lib .. path .. ".so", name)
        or loader_in_c(lib .. "/" .. name:match "^[^.]*" .. ".so", name)
    end
    return loader or ("\n\tno module '%s' in %s%s"):format(name, share, lib and " or " .. lib or "")
  end)
end
