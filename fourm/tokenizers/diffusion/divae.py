"""Tokenizers with a diffusion decoder (4M-21 reference, sec. 3.6)."""

from __future__ import annotations

import torch
from torch import Tensor
from tqdm import tqdm

from fourm.errors import BadInput, ConfigError
from fourm.tokenizers.config import TokenizerConfig
from fourm.tokenizers.diffusion.config import DiffusionConfig
from fourm.tokenizers.diffusion.sampling import DiffusionSampler
from fourm.tokenizers.diffusion.schedule import NoiseSchedule, Spacing
from fourm.tokenizers.diffusion.unet import UNet, parse_unet_name
from fourm.tokenizers.vqvae import VQVAE

MAX_SIZE = 4096
"""Largest side of decoded images, in pixels; memory ends before it on most machines."""


def check_decoding(config: TokenizerConfig, diffusion: DiffusionConfig) -> None:
    """Check the options of a diffusion decoder before it runs; other decoders have none.

    Raises:
        BadInput: the number of steps is out of range, the size not a multiple of the network's, or
            too large.
    """
    if not config.is_diffusion:
        return
    steps, size = diffusion.steps, diffusion.size
    if not 1 <= steps <= config.num_train_timesteps:
        raise BadInput(
            f"diffusion steps must be between 1 and {config.num_train_timesteps}, got {steps}"
        )
    multiple = parse_unet_name(config.dec_type).multiple
    if size is not None and (size < 1 or size % multiple):
        raise BadInput(f"image size must be a multiple of {multiple}, got {size}")
    if size is not None and size > MAX_SIZE:
        raise BadInput(f"image size must be <= {MAX_SIZE}, got {size}")


class DiVAE(VQVAE):
    """A tokenizer of images, depth, normals or edges, whose decoder is a diffusion model.

    The range of decoded values is that of the inputs: about -1 .. 1 for images, normals and edges,
    standardised for depth.
    """

    def __init__(self, config: TokenizerConfig, encode: bool = True, decode: bool = True) -> None:
        if not config.is_diffusion:
            raise ConfigError(f"dec_type {config.dec_type!r} is not a diffusion decoder")
        if config.conditioning != "concat":
            raise ConfigError(f"conditioning must be 'concat', got {config.conditioning!r}")
        super().__init__(config, encode, decode)
        # On the CPU even if the model is built on the meta device: it is not loaded.
        with torch.device("cpu"):
            schedule = NoiseSchedule.named(
                config.beta_schedule, config.num_train_timesteps, config.zero_terminal_snr
            )
        self.sampler = DiffusionSampler(
            schedule,
            config.scheduler,
            config.prediction_type,
            clamp=config.thresholding or config.clip_sample,
        )

    def _build_decoder(self, config: TokenizerConfig) -> None:
        self.unet_size = parse_unet_name(config.dec_type)
        self.decoder = UNet(config.n_channels, config.latent_dim, self.unet_size)

    def decode_tokens(
        self,
        tokens: Tensor,
        size: int | tuple[int, int] | None = None,
        steps: int = DiffusionConfig.steps,
        generator: torch.Generator | None = None,
        spacing: Spacing = "trailing",
        progress: str | None = None,
    ) -> Tensor:
        """Decode tokens.

        Args:
            tokens: (B, h, w), or (B, h * w) of a square grid.
            size: height and width of the result, multiples of 32 at the official size; default:
                one patch of the encoder for each token.
            steps: denoising steps.
            generator: random generator of the noise, on the CPU, so that the noise is the same on
                every device.
            spacing: see `NoiseSchedule.timesteps`; `ddpm` always uses `leading`.
            progress: title of a progress bar on stderr; None: no progress bar.

        Returns:
            float (B, n_channels, H, W).

        Raises:
            BadInput: a token outside the codebook, or another shape, size or number of steps.
            ConfigError: the tokenizer was loaded without its decoder.
        """
        return self._denoised(self.quantised(tokens), size, steps, generator, spacing, progress)

    def decode_soft(
        self,
        probabilities: Tensor,
        size: int | tuple[int, int] | None = None,
        steps: int = DiffusionConfig.steps,
        generator: torch.Generator | None = None,
        spacing: Spacing = "trailing",
        progress: str | None = None,
    ) -> Tensor:
        """Decode the expectation of the codes.

        Args:
            probabilities: (B, h, w, codebook_size); they sum to 1.
            size, steps, generator, spacing, progress: as `decode_tokens`.

        Results and errors are those of `decode_tokens`.
        """
        expected = self.quantize.decode_soft(probabilities)
        return self._denoised(expected, size, steps, generator, spacing, progress)

    def predict(self, noised: Tensor, step: int, quantised: Tensor) -> Tensor:
        """One pass of the network.

        Args:
            noised: (B, C, H, W).
            step: number of the noising step.
            quantised: codebook values (B, latent_dim, h, w).

        Raises:
            ConfigError: the tokenizer was loaded without its decoder.
        """
        if not self.can_decode:
            raise ConfigError("this tokenizer was loaded without its decoder")
        steps = torch.full((len(noised),), step, device=noised.device)
        out: Tensor = self.decoder(noised, steps, quantised)
        return out

    def _denoised(
        self,
        quantised: Tensor,
        size: int | tuple[int, int] | None,
        steps: int,
        generator: torch.Generator | None,
        spacing: Spacing,
        progress: str | None,
    ) -> Tensor:
        if size is None:
            patch = self.config.patch_size
            size = (quantised.shape[2] * patch, quantised.shape[3] * patch)
        height, width = (size, size) if isinstance(size, int) else size
        if height < 1 or width < 1:
            raise BadInput(f"height and width must be >= 1, got {height} x {width}")
        shape = (len(quantised), self.config.n_channels, height, width)
        if self.sampler.scheduler == "ddpm":
            spacing = "leading"

        def draw() -> Tensor:
            noise = torch.randn(shape, generator=generator, dtype=torch.float32, device="cpu")
            return noise.to(quantised)

        timesteps = self.sampler.schedule.timesteps(steps, spacing)
        # Shown below the bar of the generation, and removed when it is done.
        with tqdm(
            desc=progress, total=len(timesteps), unit="step", leave=False, disable=progress is None
        ) as bar:

            def network(noised: Tensor, step: int) -> Tensor:
                out = self.predict(noised, step, quantised)
                bar.update()
                return out

            stride = self.sampler.schedule.steps // steps
            return self.sampler.sample(network, draw, timesteps, stride)
