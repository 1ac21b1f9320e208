/* Resources and scopes of OTLP/JSON. */
#include "otlp/json_shared.h"

JSON_READ(scope_name, struct scope, text, name, "name of a scope")
JSON_READ(scope_version, struct scope, text, version, "version of a scope")
JSON_READ(scope_dropped, struct scope, u32, attributes.dropped, "droppedAttributesCount of a scope")
JSON_READ_SET(scope_attributes, struct scope, attributes, "attributes of a scope")

static const struct json_field scope_fields[] = {
    JSON_FIELD("name", "name", scope_name),
    JSON_FIELD("version", "version", scope_version),
    JSON_FIELD("attributes", "attributes", scope_attributes),
    JSON_FIELD("droppedAttributesCount", "dropped_attributes_count", scope_dropped),
};
const struct json_message json_shared_scope = JSON_MESSAGE("a scope", scope_fields, true);

static bool read_text_item(struct json_decoder *d, enum json_token token, void *message,
                           struct err *err)
{
    struct bytes *item = json_field_add(message, sizeof(*item), d->arena);

    if (!item)
        return json_field_no_room(d, err);
    return json_field_text(d, token, "key of an entity", item, err);
}

static bool entity_id_keys(struct json_decoder *d, enum json_token token, void *message,
                           struct err *err)
{
    struct entity_ref *ref = message;
    struct json_field_list keys = {0};

    if (!json_field_array(d, token, "idKeys", false, read_text_item, &keys, err))
        return false;
    ref->id_keys = keys.items;
    ref->id_key_count = keys.count;
    return true;
}

static bool entity_description_keys(struct json_decoder *d, enum json_token token, void *message,
                                    struct err *err)
{
    struct entity_ref *ref = message;
    struct json_field_list keys = {0};

    if (!json_field_array(d, token, "descriptionKeys", false, read_text_item, &keys, err))
        return false;
    ref->description_keys = keys.items;
    ref->description_key_count = keys.count;
    return true;
}

JSON_READ(entity_schema_url, struct entity_ref, text, schema_url, "schemaUrl of an entity")
JSON_READ(entity_type, struct entity_ref, text, type, "type of an entity")

static bool read_entity_ref(struct json_decoder *d, enum json_token token, void *message,
                            struct err *err)
{
    static const struct json_field fields[] = {
        JSON_FIELD("schemaUrl", "schema_url", entity_schema_url),
        JSON_FIELD("type", "type", entity_type),
        JSON_FIELD("idKeys", "id_keys", entity_id_keys),
        JSON_FIELD("descriptionKeys", "description_keys", entity_description_keys),
    };
    static const struct json_message entity_ref = JSON_MESSAGE("an entity", fields, false);
    struct entity_ref *ref = json_field_add(message, sizeof(*ref), d->arena);

    if (!ref)
        return json_field_no_room(d, err);
    return json_field_object(d, token, &entity_ref, ref, err);
}

static bool resource_entity_refs(struct json_decoder *d, enum json_token token, void *message,
                                 struct err *err)
{
    struct resource *resource = message;
    struct json_field_list refs = {0};

    if (!json_field_array(d, token, "entityRefs", false, read_entity_ref, &refs, err))
        return false;
    resource->entity_refs = refs.items;
    resource->entity_ref_count = refs.count;
    return true;
}

JSON_READ(resource_dropped, struct resource, u32, attributes.dropped,
          "droppedAttributesCount of a resource")
JSON_READ_SET(resource_attributes, struct resource, attributes, "attributes of a resource")

static const struct json_field resource_fields[] = {
    JSON_FIELD("attributes", "attributes", resource_attributes),
    JSON_FIELD("droppedAttributesCount", "dropped_attributes_count", resource_dropped),
    JSON_FIELD("entityRefs", "entity_refs", resource_entity_refs),
};
const struct json_message json_shared_resource = JSON_MESSAGE("a resource", resource_fields, true);
