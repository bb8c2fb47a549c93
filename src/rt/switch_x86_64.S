/* SPDX-License-Identifier: Apache-2.0
 *
 * The switch between stacks, System V ABI: rbx, rbp and r12 to r15 are the callee's to keep; the rest the compiler
 * has already saved around the call. Floating-point control words are left alone: nothing here changes them. */
	.text
	.globl fiber_switch
	.type fiber_switch, @function
	.p2align 4
fiber_switch: /* rdi: where to save rsp, rsi: the stack pointer to take */
	.cfi_startproc
	endbr64
	pushq %rbp
	pushq %rbx
	pushq %r12
	pushq %r13
	pushq %r14
	pushq %r15
	movq %rsp, (%rdi)
	movq %rsi, %rsp
	popq %r15
	popq %r14
	popq %r13
	popq %r12
	popq %rbx
	popq %rbp
	ret
	.cfi_endproc
	.size fiber_switch, .-fiber_switch

	.globl fiber_trampoline
	.type fiber_trampoline, @function
	.p2align 4
fiber_trampoline: /* r12: argument, r13: function that never returns */
	.cfi_startproc
	.cfi_undefined rip
	endbr64
	movq %r12, %rdi
	callq *%r13
	ud2
	.cfi_endproc
	.size fiber_trampoline, .-fiber_trampoline

/* rdi: top, rsi: fn, rdx: arg. Returns the stack pointer to switch to. */
	.globl fiber_stack_prepare
	.type fiber_stack_prepare, @function
	.p2align 4
fiber_stack_prepare:
	.cfi_startproc
	endbr64
	andq $-16, %rdi
	leaq fiber_trampoline(%rip), %rax
	movq $0, -16(%rdi)      /* the trampoline's caller: none; rsp is aligned here */
	movq %rax, -24(%rdi)    /* where ret goes */
	movq $0, -32(%rdi)      /* rbp */
	movq $0, -40(%rdi)      /* rbx */
	movq %rdx, -48(%rdi)    /* r12 */
	movq %rsi, -56(%rdi)    /* r13 */
	movq $0, -64(%rdi)      /* r14 */
	movq $0, -72(%rdi)      /* r15 */
	leaq -72(%rdi), %rax
	ret
	.cfi_endproc
	.size fiber_stack_prepare, .-fiber_stack_prepare

	.section .note.GNU-stack, "", @progbits
