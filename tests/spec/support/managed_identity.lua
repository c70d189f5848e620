-- A client of a simulated tenant that signs in with a managed identity, in the environment that its host would have.
--
--   after_each(environment.restore)
--   local r, variables = managed_identities.rehearse("imds", { client_id = ... }, { identities = { ... } })

local environment = require "tests.spec.support.environment"
local mde = require "mde"
local rehearsal = require "tests.spec.support.rehearsal"
local sim = require "mde.sim"

local managed_identities = {}

--- An identity beside the machine's own.
managed_identities.OTHER = { client_id = "1d000000-0000-4000-8000-0000000000a1",
  object_id = "1d000000-0000-4000-8000-0000000000a2",
  resource_id = "/subscriptions/a/resourcegroups/b/identities/c", roles = { "Machine.Read.All" } }

--- The variables that a host sets.
---@param source "imds"|"app_service"|"arc"
---@return table<string, string>
function managed_identities.variables(source)
  return sim.new({ machines = {} }):identity_env(source, "http://127.0.0.1:40342")
end

---@param source "imds"|"app_service"|"arc"
---@param of_credential table? options of the credential
---@param of_tenant table? options of the tenant
---@return tests.Rehearsal
---@return table<string, string> variables the environment, which may be changed
function managed_identities.rehearse(source, of_credential, of_tenant)
  local variables = managed_identities.variables(source)
  environment.set(variables)
  of_tenant = of_tenant or {}
  of_tenant.client = { credential = mde.credential.managed_identity(of_credential) }
  return rehearsal.new(of_tenant), variables
end

return managed_identities
