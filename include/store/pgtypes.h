/* Type OIDs of PostgreSQL that the statements use; fixed for ever by its catalog (pg_type.dat). */
#ifndef STORE_PGTYPES_H
#define STORE_PGTYPES_H

#define BOOLOID 16
#define BYTEAOID 17
#define INT8OID 20
#define INT2OID 21
#define INT4OID 23
#define TEXTOID 25
#define FLOAT8OID 701
#define DATEOID 1082
#define TIMESTAMPTZOID 1184
#define NUMERICOID 1700
#define UUIDOID 2950
#define BOOLARRAYOID 1000
#define BYTEAARRAYOID 1001
#define INT2ARRAYOID 1005
#define INT4ARRAYOID 1007
#define TEXTARRAYOID 1009
#define INT8ARRAYOID 1016
#define DATEARRAYOID 1182
#define TIMESTAMPTZARRAYOID 1185
#define UUIDARRAYOID 2951

#endif
