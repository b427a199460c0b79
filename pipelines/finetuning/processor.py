"""Processor: what tuning calculates on, and the numbers that it calculates with fastest."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import torch

# Of x86, of which AMX is the newer, and of Arm; names of `torch.cpu.get_capabilities`.
MULTIPLIES_BF16 = ("amx_bf16", "avx512_bf16", "bf16", "sve_bf16")


def best_device() -> str:
    """A GPU where there is one."""
    import torch

    return "cuda" if torch.cuda.is_available() else "cpu"


def fastest_numbers(device: str) -> torch.dtype:
    """bf16 where the processor multiplies it, else float32.

    torch multiplies bf16 on any processor; on one that cannot, many times slower than float32.
    """
    import torch

    if device == "cpu":
        has_bf16 = multiplies_bf16(torch.cpu.get_capabilities())
    else:
        has_bf16 = torch.cuda.is_bf16_supported(including_emulation=False)
    return torch.bfloat16 if has_bf16 else torch.float32


def multiplies_bf16(capabilities: Mapping[str, Any]) -> bool:
    """Whether a processor of these does. What is not named it does not have."""
    return any(capabilities.get(name, False) for name in MULTIPLIES_BF16)


@contextmanager
def multiplied_in(numbers: torch.dtype, network: torch.nn.Module) -> Iterator[None]:
    """Within, tuned float32 weights of `network` are rounded to `numbers` where it multiplies.

    They themselves, and what is learned, stay float32. Unrounded they are a hundredth of the
    arithmetic and took a fifth of a step: peft would make float32 of all that meets them.
    """
    import torch
    from peft.helpers import disable_input_dtype_casting

    device = next(network.parameters()).device.type
    is_rounded = numbers is not torch.float32
    with (
        torch.autocast(device, dtype=numbers, enabled=is_rounded),
        disable_input_dtype_casting(network, active=is_rounded),
    ):
        yield
