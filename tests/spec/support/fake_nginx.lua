-- As much of nginx as the parts of mde.driver.resty need that are tested outside of it: what they decide, and what is
-- hard to bring about in a real one. How they work together inside, tests/hosts/nginx shows.
--
--   local nginx = fake_nginx.start()
--   local phase = nginx.load "phase"           -- mde.driver.resty.phase, in the phase nginx.phase
--   after_each(fake_nginx.stop)

-- luacheck: globals ngx

local core = require "mde.core"

local fake_nginx = {}

local function forget_modules()
  for name in pairs(package.loaded) do
    if name:find "^mde%.driver%.resty" then package.loaded[name] = nil end
  end
end

--- Makes the global `ngx` and the module ngx.semaphore. What the test may set: `phase`; `wait(semaphore, seconds)`,
--- what happens while somebody waits at a semaphore; `socket()`, which makes one; `timer_at(seconds, fn, ...)`;
--- `exiting`. What it may read: `log`, the lines of the error log.
---@return table
function fake_nginx.start()
  local self = { phase = "content", log = {}, exiting = false }

  package.preload["ngx.semaphore"] = function()
    return {
      new = function(count)
        local semaphore = { left = count }
        function semaphore.count() return semaphore.left end
        function semaphore.post(_, more) semaphore.left = semaphore.left + (more or 1) end
        function semaphore.wait(_, seconds)
          if self.wait then self.wait(semaphore, seconds) end
          if semaphore.left <= 0 then return nil, "timeout" end
          semaphore.left = semaphore.left - 1
          return true
        end
        return semaphore
      end,
    }
  end

  ngx = {
    ctx = {}, ERR = "error",
    get_phase = function() return self.phase end,
    sleep = function() end,
    log = function(level, ...) self.log[#self.log + 1] = level .. ": " .. table.concat { ... } end,
    encode_base64 = core.base64.encode,
    -- No digest, but as good as one here: another for each text, and not the text.
    md5 = function(text) return core.base64.encode(text:reverse()) end,
    socket = { tcp = function() return self.socket() end },
    timer = { at = function(...) return self.timer_at(...) end },
    worker = { exiting = function() return self.exiting end },
    -- A light thread here runs to its end at once.
    thread = {
      spawn = function(fn, ...)
        fn(...)
        return {}
      end,
      wait = function() return true end,
      kill = function() return true end,
    },
  }

  --- A module of mde.driver.resty, loaded in here.
  function self.load(name)
    return require("mde.driver.resty." .. name)
  end

  forget_modules()
  return self
end

--- There is no nginx any more.
function fake_nginx.stop()
  forget_modules()
  package.loaded["ngx.semaphore"], package.preload["ngx.semaphore"] = nil, nil
  ngx = nil
end

return fake_nginx
