--- mde set-device-value: says what machines are worth, which the guard asks.

local core = require "mde.core"
local errors = require "mde.base.error"
local marking = require "mde.cli.batch.marking"

local field = core.response_actions.set_device_value.fields[1]

local function check(value)
  if field.takes(value) then return end
  errors.invalid("wrong_value", ("the value must be %s, not %s"):format(table.concat(field.words, ", "),
    errors.quote(value)), "It is the last word.")
end

return marking.subcommand("set_device_value", { what = "value", check = check, done = "valued",
  doing = "setting the value of %s", label = "Setting", ask = "mde machines deviceValue=VALUE" }, {
  summary = "Say what machines are worth: Low, Normal or High (needs Machine.ReadWrite.All).",
  examples = { { "mde set-device-value dc-1 dc-2 High", "the last word is the value; of High, none is restricted" } },
})
