// SPDX-License-Identifier: Apache-2.0
// Reads an OpenAPI document from standard input; says what is wrong with it, or nothing.
import { Validator } from "@seriousme/openapi-schema-validator";
import { readFileSync } from "node:fs";

const validator = new Validator();
const result = await validator.validate(JSON.parse(readFileSync(0, "utf8")));
if (!result.valid || validator.version !== "3.1") {
	console.log(JSON.stringify({ version: validator.version, errors: result.errors }, null, 1));
	process.exit(1);
}
