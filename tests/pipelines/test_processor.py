"""Tuning calculates with numbers that the processor multiplies itself."""

from __future__ import annotations

import pytest

from pipelines.finetuning.machine_share import INSTALL, can_tune
from pipelines.finetuning.processor import multiplied_in, multiplies_bf16

ZEN_3 = {"avx2": True, "fma3": True, "avx512_f": False, "avx512_bf16": False, "amx_bf16": False}
SKYLAKE = {"avx2": True, "avx512_f": True, "avx512_bw": True, "avx512_bf16": False}
ZEN_4 = SKYLAKE | {"avx512_bf16": True}
SAPPHIRE_RAPIDS = ZEN_4 | {"amx_bf16": True}
NEOVERSE_N1 = {"neon": True, "fp16_arith": True, "bf16": False}
GRAVITON_3 = {"neon": True, "fp16_arith": True, "bf16": True}


@pytest.mark.parametrize("capabilities", [ZEN_4, SAPPHIRE_RAPIDS, GRAVITON_3])
def test_bf16_where_the_processor_multiplies_it(capabilities: dict[str, bool]) -> None:
    assert multiplies_bf16(capabilities)


@pytest.mark.parametrize("capabilities", [ZEN_3, SKYLAKE, NEOVERSE_N1, {}])
def test_float32_where_it_would_have_to_be_made_to(capabilities: dict[str, bool]) -> None:
    assert not multiplies_bf16(capabilities)


@pytest.mark.skipif(not can_tune(), reason=INSTALL)
@pytest.mark.parametrize("numbers", ["bfloat16", "float32"])
def test_what_is_tuned_stays_float32_and_is_multiplied_in_the_numbers_of_what_it_meets(
    numbers: str,
) -> None:
    import torch
    from peft import LoraConfig, inject_adapter_in_model

    network = torch.nn.Sequential(torch.nn.Linear(8, 4, bias=False))
    network.to(dtype := getattr(torch, numbers)).requires_grad_(False)
    inject_adapter_in_model(LoraConfig(r=2, target_modules=["0"]), network)
    tuned = [p.requires_grad_(True) for n, p in network.named_parameters() if "lora" in n]
    for tensor in tuned:
        tensor.data = torch.ones_like(tensor, dtype=torch.float32)
    met = []
    network[0].lora_A.default.register_forward_hook(lambda _m, given, _o: met.append(given[0]))
    with multiplied_in(dtype, network):
        network(torch.ones(1, 8, dtype=dtype)).sum().backward()
    assert [one.dtype for one in met] == [dtype]
    assert {tensor.dtype for tensor in tuned} == {torch.float32}
    assert all(tensor.grad is not None and tensor.grad.dtype is torch.float32 for tensor in tuned)
