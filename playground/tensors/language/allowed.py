"""The allow-list: every function, method and attribute that a script may use, grouped as in PyTorch's documentation.

The interpreter looks up every name here. No entry takes a function, opens a file, or returns an object that gives
access to another name.
Sources: https://docs.pytorch.org/docs/stable/torch.html, https://docs.pytorch.org/docs/stable/tensors.html,
https://docs.pytorch.org/docs/stable/nn.functional.html, https://numpy.org/doc/stable/reference/
"""

from __future__ import annotations

from playground.messages import msg

CREATION, JOINING, POINTWISE, REDUCTION = msg("Creation"), msg("Indexing, slicing, joining"), msg("Pointwise"), msg("Reduction")
COMPARISON, ALGEBRA, RANDOM, CONVERSION = msg("Comparison"), msg("Linear algebra"), msg("Random"), msg("Conversion and information")
NEURAL, AUTOGRAD = msg("Neural networks"), msg("Autograd")

TORCH = {
    CREATION: """
        tensor as_tensor from_numpy zeros zeros_like ones ones_like empty empty_like full full_like arange linspace logspace eye
        complex polar tril_indices triu_indices vander meshgrid cartesian_prod combinations
        Tensor FloatTensor DoubleTensor HalfTensor LongTensor IntTensor ShortTensor ByteTensor BoolTensor
    """,
    JOINING: """
        cat concat concatenate stack hstack vstack dstack column_stack row_stack block_diag
        split tensor_split chunk hsplit vsplit dsplit unbind
        gather scatter scatter_add index_select index_add index_copy index_fill masked_select masked_fill masked_scatter
        take take_along_dim narrow select nonzero argwhere where
        reshape ravel flatten unflatten squeeze unsqueeze t transpose permute movedim moveaxis swapaxes swapdims
        tile flip fliplr flipud roll rot90 broadcast_to broadcast_tensors repeat_interleave atleast_1d atleast_2d atleast_3d
        diag diagonal diagflat diag_embed tril triu select_scatter slice_scatter diagonal_scatter view_as_real view_as_complex
    """,
    POINTWISE: """
        abs absolute add sub subtract mul multiply div divide true_divide floor_divide remainder fmod neg negative positive
        pow float_power square sqrt rsqrt reciprocal exp exp2 expm1 log log2 log10 log1p logaddexp logaddexp2 xlogy
        sin cos tan asin acos atan arcsin arccos arctan atan2 sinh cosh tanh asinh acosh atanh deg2rad rad2deg hypot sinc
        sigmoid logit erf erfc erfinv lgamma digamma relu softmax log_softmax
        ceil floor round trunc fix frac sign sgn signbit copysign clamp clip lerp addcmul addcdiv heaviside ldexp nan_to_num
        bitwise_and bitwise_or bitwise_xor bitwise_not bitwise_left_shift bitwise_right_shift
        logical_and logical_or logical_xor logical_not gcd lcm real imag conj angle
    """,
    REDUCTION: """
        sum mean median nanmedian mode std var std_mean var_mean prod max min amax amin aminmax argmax argmin all any norm
        logsumexp nansum nanmean quantile nanquantile count_nonzero unique unique_consecutive dist histc bincount
        cumsum cumprod cummax cummin logcumsumexp diff trapezoid
    """,
    COMPARISON: """
        eq ne gt ge lt le greater greater_equal less less_equal not_equal equal allclose isclose isfinite isinf isnan isposinf isneginf isreal isin
        maximum minimum fmax fmin sort argsort msort topk kthvalue searchsorted bucketize
    """,
    ALGEBRA: """
        matmul mm bmm mv dot vdot inner outer ger addmm addmv addr addbmm baddbmm chain_matmul einsum tensordot kron cross trace
        det logdet slogdet inverse pinverse matrix_power cdist cov corrcoef
        linalg.norm linalg.vector_norm linalg.matrix_norm linalg.det linalg.slogdet linalg.inv linalg.pinv linalg.solve linalg.lstsq
        linalg.eig linalg.eigh linalg.eigvals linalg.eigvalsh linalg.svd linalg.svdvals linalg.qr linalg.cholesky linalg.matrix_rank
        linalg.matrix_power linalg.matrix_exp linalg.multi_dot linalg.cross linalg.cond linalg.diagonal linalg.vecdot
    """,
    RANDOM: """
        manual_seed seed initial_seed rand rand_like randn randn_like randint randint_like randperm normal bernoulli multinomial poisson Generator
    """,
    CONVERSION: """
        is_tensor is_floating_point is_complex is_nonzero numel result_type promote_types can_cast finfo iinfo
        get_default_dtype set_default_dtype set_printoptions device Size
        cuda.is_available cuda.device_count backends.mps.is_available accelerator.is_available
    """,
    AUTOGRAD: "no_grad enable_grad inference_mode set_grad_enabled is_grad_enabled autograd.grad autograd.backward autograd.Variable",
}
"""Functions under `torch.`"""

METHODS = {
    CREATION: "new_tensor new_zeros new_ones new_empty new_full clone zero_ fill_",
    JOINING: """
        view view_as reshape reshape_as ravel flatten unflatten squeeze squeeze_ unsqueeze unsqueeze_ t t_ transpose transpose_ permute
        movedim moveaxis swapaxes swapdims adjoint expand expand_as repeat tile flip fliplr flipud roll rot90 broadcast_to repeat_interleave
        contiguous as_strided unfold resize_ split tensor_split chunk hsplit vsplit dsplit unbind narrow select
        gather scatter scatter_ scatter_add scatter_add_ index_select index_add index_add_ index_copy index_copy_ index_fill index_fill_ index_put_
        masked_select masked_fill masked_fill_ masked_scatter masked_scatter_ take take_along_dim put_ copy_ nonzero argwhere where
        diag diagonal diagflat diag_embed tril tril_ triu triu_ fill_diagonal_ select_scatter slice_scatter diagonal_scatter
    """,
    POINTWISE: """
        abs abs_ absolute add add_ sub sub_ subtract mul mul_ multiply div div_ divide true_divide floor_divide floor_divide_ remainder remainder_
        fmod neg neg_ negative positive pow pow_ float_power square square_ sqrt sqrt_ rsqrt reciprocal reciprocal_ exp exp_ exp2 expm1 log log_ log2
        log10 log1p logaddexp xlogy sin sin_ cos cos_ tan asin acos atan arcsin arccos arctan atan2 sinh cosh tanh tanh_ asinh acosh atanh
        deg2rad rad2deg hypot sinc sigmoid sigmoid_ logit erf erfc erfinv lgamma digamma relu relu_ softmax log_softmax
        ceil ceil_ floor floor_ round round_ trunc trunc_ fix frac sign sign_ sgn signbit copysign clamp clamp_ clamp_min clamp_max clip clip_
        lerp lerp_ addcmul addcmul_ addcdiv addcdiv_ heaviside nan_to_num nan_to_num_
        bitwise_and bitwise_or bitwise_xor bitwise_not logical_and logical_or logical_xor logical_not logical_not_ gcd lcm conj angle
    """,
    REDUCTION: """
        sum mean median nanmedian mode std var prod max min amax amin aminmax argmax argmin all any norm logsumexp nansum nanmean
        quantile nanquantile count_nonzero unique unique_consecutive dist histc bincount cumsum cumsum_ cumprod cummax cummin logcumsumexp diff
    """,
    COMPARISON: """
        eq ne gt ge lt le greater greater_equal less less_equal not_equal equal allclose isclose isfinite isinf isnan isposinf isneginf isreal
        maximum minimum fmax fmin sort argsort msort topk kthvalue
    """,
    ALGEBRA: """
        matmul mm bmm mv dot vdot inner outer ger addmm addmm_ addmv addr addbmm baddbmm cross trace det logdet slogdet inverse pinverse
        matrix_power cov corrcoef
    """,
    RANDOM: "random_ normal_ uniform_ exponential_ bernoulli bernoulli_ multinomial",
    CONVERSION: """
        size stride storage_offset dim ndimension numel nelement element_size is_contiguous is_floating_point is_complex is_signed data_ptr
        untyped_storage item tolist numpy to type type_as cpu cuda float double half bfloat16 int long short char byte bool
        is_set_to get_device
    """,
    AUTOGRAD: "backward detach detach_ requires_grad_ retain_grad",
}
"""Methods of a tensor."""

FUNCTIONAL = {
    NEURAL: """
        relu relu6 elu selu celu gelu leaky_relu silu mish softplus softsign sigmoid tanh hardtanh hardsigmoid hardswish logsigmoid glu
        softmax softmin log_softmax one_hot embedding linear bilinear conv1d conv2d conv3d conv_transpose1d conv_transpose2d
        max_pool1d max_pool2d avg_pool1d avg_pool2d adaptive_avg_pool1d adaptive_avg_pool2d adaptive_max_pool2d unfold fold pad interpolate
        pixel_shuffle normalize layer_norm batch_norm group_norm dropout dropout2d cosine_similarity pairwise_distance scaled_dot_product_attention
        mse_loss l1_loss smooth_l1_loss huber_loss cross_entropy nll_loss binary_cross_entropy binary_cross_entropy_with_logits kl_div
    """,
}
"""Functions under `torch.nn.functional.`, `nn.functional.` and `F.`"""

NN = {AUTOGRAD: "Parameter"}
"""Functions under `torch.nn.`; layers, losses and optimizers are in `objects.py`."""

INIT = {
    NEURAL: """
        uniform_ normal_ constant_ ones_ zeros_ eye_ trunc_normal_ orthogonal_ xavier_uniform_ xavier_normal_ kaiming_uniform_ kaiming_normal_
    """,
}
"""Functions under `torch.nn.init.`"""

NUMPY = {
    CREATION: """
        array asarray copy zeros zeros_like ones ones_like empty empty_like full full_like arange linspace logspace eye identity diag meshgrid
    """,
    JOINING: """
        reshape ravel transpose swapaxes moveaxis expand_dims squeeze concatenate stack vstack hstack dstack column_stack
        split array_split hsplit vsplit tile repeat flip fliplr flipud roll rot90 broadcast_to where nonzero argwhere take take_along_axis
        tril triu diagonal
    """,
    POINTWISE: """
        add subtract multiply divide true_divide floor_divide power mod remainder negative abs absolute sqrt square exp expm1 log log2 log10 log1p
        sin cos tan arcsin arccos arctan arctan2 sinh cosh tanh floor ceil round around rint trunc sign clip maximum minimum
        logical_and logical_or logical_not logical_xor reciprocal
    """,
    REDUCTION: """
        sum mean std var prod max min amax amin argmax argmin cumsum cumprod all any median percentile quantile ptp count_nonzero unique bincount diff
    """,
    COMPARISON: """
        equal not_equal greater greater_equal less less_equal isnan isinf isfinite isclose allclose array_equal sort argsort searchsorted
    """,
    ALGEBRA: "dot matmul inner outer vdot einsum tensordot kron trace cross linalg.norm linalg.inv linalg.det linalg.solve linalg.eig linalg.svd",
    RANDOM: """
        random.seed random.rand random.randn random.randint random.random random.normal random.uniform random.choice random.permutation random.shuffle
        random.default_rng
    """,
    CONVERSION: """
        shape ndim size may_share_memory shares_memory dtype float16 float32 float64 int8 int16 int32 int64 uint8 bool_ complex64 complex128
    """,
}
"""Functions under `np.`"""

ARRAY_METHODS = {
    CREATION: "copy fill",
    JOINING: "reshape ravel flatten transpose swapaxes squeeze repeat take diagonal nonzero",
    POINTWISE: "round clip",
    REDUCTION: "sum mean std var prod max min argmax argmin cumsum cumprod all any",
    COMPARISON: "sort argsort",
    ALGEBRA: "dot trace",
    CONVERSION: "astype tolist item",
}
"""Methods of a NumPy array or number."""

OTHER_METHODS = {
    "str": "format join upper lower strip lstrip rstrip split startswith endswith replace count find index title capitalize isdigit isalpha zfill",
    "list": "append extend insert pop remove reverse sort index count copy clear",
    "tuple": "index count",
    "dict": "keys values items get pop setdefault update copy clear",
    "set": "add remove discard pop union intersection difference update copy clear issubset issuperset",
    "Size": "numel index count",
    "TorchGenerator": "manual_seed seed initial_seed",
    "NumpyGenerator": "random normal standard_normal uniform integers choice permutation shuffle",
    "UntypedStorage": "data_ptr nbytes size",
    "Node": "name",
}
"""Methods of all other types of value."""

ATTRIBUTES = {
    "Tensor": """
        shape dtype device ndim T mT H mH real imag layout itemsize nbytes is_cuda is_leaf requires_grad grad grad_fn data is_sparse
    """,
    "ndarray": "shape dtype ndim size T strides itemsize nbytes real imag",
    "dtype": "is_floating_point is_complex is_signed itemsize name kind",
    "device": "type index",
    "finfo": "bits eps max min tiny smallest_normal resolution dtype",
    "result": "values indices Q R U S Vh eigenvalues eigenvectors sign logabsdet solution singular_values residuals rank",
    "complex": "real imag",
    "Exception": "args",
    "Node": "next_functions variable",
}
"""Readable attributes by type; `result` is a named tuple such as `torch.max(x, dim=1)` returns."""

SETTABLE = "requires_grad grad data"
"""Attributes of a tensor that a script may assign to."""

CONSTANTS = {
    "torch": """
        float16 half bfloat16 float32 float float64 double int8 uint8 int16 short int32 int int64 long bool complex64 cfloat complex128 cdouble
        pi e inf nan strided contiguous_format channels_last preserve_format __version__
    """,
    "np": "pi e inf nan newaxis __version__",
}
"""Values under `torch.` and `np.`; `__version__` and `__name__` are the only names with double underscores."""

BUILTINS = (
    "abs all any bool callable complex dict divmod enumerate filter float getattr hasattr id int isinstance iter len list map max min next pow print range "
    "repr reversed round set setattr slice sorted str sum super tuple type zip classmethod property staticmethod"
)
"""Python's own functions."""

SIZED_BY_INPUT = """
    tensor as_tensor new_tensor tolist to type type_as cpu cuda float double half bfloat16 int long short char byte bool
    clone backward autograd.grad autograd.backward autograd.Variable copy_ masked_select unique unique_consecutive
"""
"""Operations whose result is not larger than their arguments, and that the meta device does not support or treats differently."""

FREE = """
    from_numpy numpy detach detach_ item data_ptr untyped_storage is_set_to equal allclose is_nonzero is_tensor numel size
    is_floating_point is_complex dim stride storage_offset is_contiguous may_share_memory shares_memory T mT H mH real imag data
"""
"""Operations that allocate no memory for elements."""
