"""Tuning calculates with numbers that the processor multiplies itself."""

from __future__ import annotations

import pytest

from pipelines.finetuning.processor import multiplies_bf16

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
