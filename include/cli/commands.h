/* The commands of the program, one room each. argv holds the words behind the command's name; the result is the exit code: 0 done, 1 failed or
 * refused, 2 wrong use. */
#ifndef CLI_COMMANDS_H
#define CLI_COMMANDS_H

#define EXIT_DONE 0
#define EXIT_FAILED 1
#define EXIT_USAGE 2

int serve_command(int argc, char *const argv[]);
int migrate_command(int argc, char *const argv[]);
int tenant_command(int argc, char *const argv[]);
int key_command(int argc, char *const argv[]);
int prices_command(int argc, char *const argv[]);
int reprice_command(int argc, char *const argv[]);
int version_command(int argc, char *const argv[]);

#endif
