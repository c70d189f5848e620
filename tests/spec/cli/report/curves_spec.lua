-- The drawing of how a run went on.
local curves = require "mde.cli.report.curves"
local markup = require "tests.spec.support.markup"
local timelines = require "mde.run.timeline"

describe("the curves of a run", function()
  local BEGAN = 1795921080

  local function drawn(times, sessions)
    local devices, parts = {}, { "<!DOCTYPE html>\n" }
    for i, one in ipairs(times) do
      devices[i] = { wave = math.ceil(i / 5), changes = { { verb = "restrict", outcome = "accepted",
        sent_at = BEGAN + one[1], answered_at = one[2] and BEGAN + one[2], done_at = one[3] and BEGAN + one[3] } } }
    end
    curves.draw(function(...)
      for i = 1, select("#", ...) do parts[#parts + 1] = (select(i, ...)) end
    end, assert(timelines.of { devices = devices, sessions = sessions or {} }))
    return markup.read(table.concat(parts))
  end

  local function points_of(tag)
    local list = {}
    for x, y in tag.attributes.points:gmatch "([%d.]+),([%d.]+)" do list[#list + 1] = { x + 0, y + 0 } end
    return list
  end

  it("rise to what there was in the end, and are named in words and by their lines", function()
    local tags, text = drawn { { 0, 1, 10 }, { 5, 6, 20 }, { 10, 11 }, { 15 } }
    local lines = markup.named(tags, "polyline")
    assert.equal(3, #lines)
    for i, class in ipairs { "sent", "accepted", "succeeded" } do
      assert.equal(class, lines[i].attributes.class)
      local points = points_of(lines[i])
      for n = 2, #points do
        assert.is_true(points[n][1] >= points[n - 1][1])
        assert.is_true(points[n][2] <= points[n - 1][2])
      end
    end
    for _, words in ipairs { "sent: 4", "accepted: 3", "carried out: 2", "In the end 4 were sent" } do
      assert.truthy(text:find(words, 1, true), words)
    end
  end)

  it("stay within the drawing, whatever the times and however many there are", function()
    local many = {}
    for i = 1, 1000 do many[i] = { i * 3600, i * 3600 + 1, i * 3600 + 2 } end
    for _, times in ipairs { { { 0 } }, { { 0, 0, 0 } }, { { 0, 1, 2 }, { 1e8, 1e8 } }, many } do
      local tags = drawn(times, { { n = 1, began_at = BEGAN - 5, ended_at = BEGAN + 1 }, { n = 2, began_at = BEGAN } })
      local width, height = tags[1].attributes.viewBox:match "^0 0 (%d+) (%d+)$"
      local places = 0
      for _, tag in ipairs(tags) do
        local own = tag.attributes
        for _, name in ipairs { "x", "x1", "x2" } do
          if own[name] then
            assert.is_true(own[name] + 0 >= 0 and own[name] + 0 <= width + 0, name .. own[name])
            places = places + 1
          end
        end
        for _, name in ipairs { "y", "y1", "y2" } do
          if own[name] then assert.is_true(own[name] + 0 >= 0 and own[name] + 0 <= height + 0, name .. own[name]) end
        end
        if own.points then
          for _, point in ipairs(points_of(tag)) do
            assert.is_true(point[1] <= width + 0 and point[2] <= height + 0)
          end
        end
      end
      assert.is_true(places > 5)
    end
  end)

  it("write numbers with a point in every locale", function()
    for _, tag in ipairs(drawn { { 0, 1, 3 }, { 7, 8 } }) do
      for name, value in pairs(tag.attributes) do
        if name:find "^[xy]%d?$" or name == "width" then assert.matches("^%d+%.?%d*$", value) end
      end
    end
  end)
end)
