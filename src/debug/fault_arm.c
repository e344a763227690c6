/* See fault_arm.h. */
#include "debug/fault_arm.h"

const char *arm_vector_name(u32 vector)
{
	static const char *const names[] = {"reset", "undefined", "SVC", "prefetch abort", "data abort", "address", "IRQ", "FIQ"};

	return vector < ARRAY_SIZE(names) ? names[vector] : "?";
}

const char *arm_fault_rule(u32 fsr)
{
	static const char *const rules[16] = {
		"a vector exception, which this CPU does not raise (DDI0100 table B4-1)",
		"the address is not aligned to its size while the A bit is set (DDI0198 3.5.1)",
		"a terminal exception, which this CPU does not raise (DDI0100 table B4-1)",
		"the address is not aligned to its size while the A bit is set (DDI0198 3.5.1)",
		"the bus refused to fill a cache line (DDI0198 3.6)",
		"the first-level descriptor is invalid: bits 1:0 are 00 (DDI0198 3.5.2)",
		"the bus refused to fill a cache line (DDI0198 3.6)",
		"the second-level descriptor is invalid: bits 1:0 are 00 (DDI0198 3.5.2)",
		"nobody answers at the physical address (DDI0198 3.6)",
		"DACR gives the section's domain no access (DDI0198 3.5.3)",
		"nobody answers at the physical address (DDI0198 3.6)",
		"DACR gives the page's domain no access (DDI0198 3.5.3)",
		"nobody answers where the first-level descriptor should be (DDI0198 3.6)",
		"the section's access permissions refuse a client of its domain (DDI0198 3.5.4)",
		"nobody answers where the second-level descriptor should be (DDI0198 3.6)",
		"the access permissions of the page, or of its subpage, refuse a client of its domain (DDI0198 3.5.4)",
	};

	return rules[fsr & 15];
}
