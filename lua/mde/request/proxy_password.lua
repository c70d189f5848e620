--- proxy_password: whether the proxy on the way takes its password: one request finds out while others wait, and a
-- refused one is not sent again for a minute. Many proxies lock an account after some wrong passwords.

local REFUSED_SECONDS, LOOK_AGAIN_SECONDS = 60, 0.1

local M = {}

---@class mde.ProxyPassword what is known is kept by host, or under "" for all
---@field private driver mde.Driver
---@field private now fun(): number
---@field private sleep fun(seconds: number)
---@field private refusals table<string, { at: number, message: string }?>
---@field private trials table<string, { ends: number, gate?: table }?> the request that finds out
---@field private taken table<string, boolean?> it was not refused
local Password = {}
Password.__index = Password

---@param driver mde.Driver
---@param clock mde.Clock
---@return mde.ProxyPassword
function M.new(driver, clock)
  return setmetatable({ driver = driver, now = clock.now, sleep = clock.sleep, refusals = {}, trials = {}, taken = {} },
    Password)
end

-- Where it is kept: for all hosts, or for one if others may be reached without the proxy. nil: none is used.
local function place_of(driver, host, request)
  if request.plain then return nil end
  return driver.proxy and driver.proxy.everywhere and "" or host
end

-- Whether there is a password of which nobody knows whether it is taken.
local function is_untried(self, place)
  local proxy = self.driver.proxy
  return proxy ~= nil and proxy.has_password and not self.taken[place]
end

-- What it was refused with a moment ago.
local function refusal(self, place)
  local refused = self.refusals[place]
  if not refused or self.now() - refused.at >= REFUSED_SECONDS then return nil end
  return refused.message .. "; it is not asked again for a minute"
end

-- Waits while another request finds out, but no longer than that one, or this one, may take.
local function wait_for_trial(self, place, ends)
  local trial = self.trials[place]
  while trial and self.trials[place] == trial and self.now() < math.min(trial.ends, ends) do
    local seconds = math.min(trial.ends, ends) - self.now()
    if trial.gate then
      trial.gate:wait(seconds)
    else
      self.sleep(math.min(seconds, LOOK_AGAIN_SECONDS))
    end
  end
end

--- Asks before a request is sent; its `timeout` is what is left of it then. Returns nothing if it may be sent, of which
--- `heard` is to be told; or why not, in words and as a driver's code.
---@param host string whom it goes to
---@param request table as a driver gets it
---@return string? message
---@return string? code
function Password:ask(host, request)
  local place, driver = place_of(self.driver, host, request), self.driver
  if not place then return nil end
  if not self.refusals[place] and not self.trials[place] and not is_untried(self, place) then return nil end
  local ends = self.now() + request.timeout
  while true do
    wait_for_trial(self, place, ends)
    local refused = refusal(self, place)
    if refused then return refused, "proxy_auth" end
    request.timeout = ends - self.now()
    if request.timeout <= 0 then return "the proxy did not answer another request in time", "timeout" end
    local trial = self.trials[place]
    if not trial or trial.ends <= self.now() then break end
  end
  if is_untried(self, place) then
    self.trials[place] = { ends = ends, gate = driver.gate and driver.gate() or nil }
  end
end

--- What came of a request that was sent.
---@param host string
---@param request table
---@param code? string the driver's, of a failure
---@param message? string
function Password:heard(host, request, code, message)
  if not self.driver.proxy and code ~= "proxy_auth" then return end
  local place = place_of(self.driver, host, request)
  if not place then return end
  local refused, trial = code == "proxy_auth", self.trials[place]
  if refused then self.refusals[place] = { at = self.now(), message = message } end
  self.taken[place], self.trials[place] = not refused or nil, nil
  if trial and trial.gate then trial.gate:open() end
end

return M
