#include "device_record.h"

#include "name.h"
#include "odata.h"

static bool is_name(struct mde_text listed, struct mde_text recorded)
{
  if (recorded.bytes == NULL) return false;
  struct mde_text name = mde_name_asked(listed, MDE_NAME_RELATION_IS);
  struct mde_text own = mde_name_asked(recorded, MDE_NAME_RELATION_IS);
  if (name.length == 0) return false;
  if (mde_text_same_caseless(name, own)) return true;
  if (memchr(name.bytes, '.', name.length) != NULL) return false;
  if (own.length <= name.length || own.bytes[name.length] != '.') return false;
  own.length = name.length;
  return mde_text_same_caseless(name, own);
}

bool mde_device_record_fits(const struct mde_device_record *record, struct mde_text identifier)
{
  if (mde_odata_is_machine_id(identifier) && mde_text_same_caseless(identifier, record->machine_id))
    return true;
  if (mde_odata_is_guid(identifier) && mde_text_same_caseless(identifier, record->entra_id))
    return true;
  if (is_name(identifier, record->name)) return true;
  if (identifier.length < 2 || identifier.bytes[0] != '\'') return false;
  identifier.bytes++;
  identifier.length--;
  return is_name(identifier, record->name);
}
