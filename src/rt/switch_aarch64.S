/* SPDX-License-Identifier: Apache-2.0
 *
 * The switch between stacks, AAPCS64: x19 to x30 and the low halves of v8 to v15 are the callee's to keep. */
	.text
	.globl fiber_switch
	.type fiber_switch, %function
	.p2align 4
fiber_switch: /* x0: where to save sp, x1: the stack pointer to take */
	.cfi_startproc
	hint #34
	sub sp, sp, #160
	stp x19, x20, [sp, #0]
	stp x21, x22, [sp, #16]
	stp x23, x24, [sp, #32]
	stp x25, x26, [sp, #48]
	stp x27, x28, [sp, #64]
	stp x29, x30, [sp, #80]
	stp d8, d9, [sp, #96]
	stp d10, d11, [sp, #112]
	stp d12, d13, [sp, #128]
	stp d14, d15, [sp, #144]
	mov x9, sp
	str x9, [x0]
	mov sp, x1
	ldp x19, x20, [sp, #0]
	ldp x21, x22, [sp, #16]
	ldp x23, x24, [sp, #32]
	ldp x25, x26, [sp, #48]
	ldp x27, x28, [sp, #64]
	ldp x29, x30, [sp, #80]
	ldp d8, d9, [sp, #96]
	ldp d10, d11, [sp, #112]
	ldp d12, d13, [sp, #128]
	ldp d14, d15, [sp, #144]
	add sp, sp, #160
	ret
	.cfi_endproc
	.size fiber_switch, .-fiber_switch

	.globl fiber_trampoline
	.type fiber_trampoline, %function
	.p2align 4
fiber_trampoline: /* x19: argument, x20: function that never returns */
	.cfi_startproc
	.cfi_undefined x30
	hint #36
	mov x0, x19
	blr x20
	brk #0
	.cfi_endproc
	.size fiber_trampoline, .-fiber_trampoline

/* x0: top, x1: fn, x2: arg. Returns the stack pointer to switch to. */
	.globl fiber_stack_prepare
	.type fiber_stack_prepare, %function
	.p2align 4
fiber_stack_prepare:
	.cfi_startproc
	hint #34
	and x0, x0, #-16
	sub x0, x0, #160
	adrp x9, fiber_trampoline
	add x9, x9, :lo12:fiber_trampoline
	stp x2, x1, [x0, #0]
	stp xzr, x9, [x0, #80]
	ret
	.cfi_endproc
	.size fiber_stack_prepare, .-fiber_stack_prepare

	.section .note.GNU-stack, "", %progbits
