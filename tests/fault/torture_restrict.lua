-- A restrict with all that belongs to it: signing in, finding the device, looking first, sending. Times and
-- random numbers are made up, so that every run makes the same allocations.

local core = require "mde.core"
local posix = require "mde.posix"

posix.entropy.bytes = function(count) return ("\7"):rep(count) end
posix.clock.time = function() return 1.7e9 end
posix.clock.now = function() return 1000 end

local cap_counts = require "mde.action.cap_count"
local caps = require "mde.action.cap"
local listings = require "mde.action.listing"
local mde = require "mde"
local history_caches = require "mde.action.history_cache"
local sim = require "mde.sim"

local drawn = 0
local tenant = sim.new {
  machines = { { id = ("1"):rep(40), computerDnsName = "laptop-17.corp.example" } },
  random = function(count)
    drawn = drawn + 1
    return (("%08d"):format(drawn):rep(40)):sub(1, count)
  end,
}
local driver = tenant:driver()
local client = assert(mde.client {
  tenant_id = tenant.tenant_id, client_id = tenant.client_id, credential = tenant.client_secret, driver = driver,
})

-- The secret, the form in which it is sent, and how every token begins.
-- luacheck: read globals plant
plant(tenant.client_secret)
plant(core.odata.encode(tenant.client_secret))
plant(core.base64.encode_url '{"typ":"JWT"')

local function restrict()
  local action, err = client:restrict("laptop-17.corp.example", "does it load", { incident = "INC-1" })
  if not action then return nil, err end
  if action.outcome ~= "accepted" then return nil, "outcome " .. action.outcome end
  return true
end

-- No action yet, none counted or remembered, and no token, so that each run begins at the beginning.
local function before()
  tenant:reset()
  client.action_center.cache = history_caches.new(driver.now)
  client.action_center.listing = listings.new(client.action_center)
  client.changes.cap = caps.new(caps.DEFAULT, client.exchange, nil, cap_counts.new(client.exchange, driver))
  local tokens = client.exchange.token_source.tokens
  tokens:forget_failure()
  local answer, value, generation = tokens:ask(driver.now(), 1)
  if answer == "use" then
    tokens:rejected(generation)
  elseif answer == "fetch" then
    tokens:abandon(value)
  end
end

return restrict, before
