"""Scripts that mean harm, each in a process of its own as on the server: what they reach, what they take, what they leave behind.

In the table a line is a script, and `⏎` is a line break in it. It starts with what `HEAD` defines. `refused`: there is
an error with its message, and nothing was printed. `bounded`: refused, or ended from outside, or done and small.
`harmless`: it runs, and that is all.
"""

from __future__ import annotations

import gc
import json
import math
import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from playground import environment
from playground.errors import PlaygroundError
from playground.forking import CAN_FORK, Forker
from playground.tensors.language.bounds import MIB, Bounds
from playground.tensors.sandbox import REPORT_SECONDS, Sandbox

from ..support.marker import MARKER

pytestmark = pytest.mark.skipif(not CAN_FORK, reason="this system cannot fork")

HEAD = "x = torch.arange(6.0).reshape(2, 3) ⏎ n = np.ones((2, 3)) ⏎ "
SECONDS = 2.0
"""Processor time that the playground allows a script by default; the other tests allow more, for a busy machine."""
RUN_SCRIPTS = "tests.tensors.forked_tasks:run_scripts"
TOGETHER = 12
"""Attacks in one process, of those that must not end it: forking a process takes ten times as long as refusing a script."""
ANSWER = 4 * MIB
"""Characters of an answer that the server can take from every learner at once."""

IMPORTS = """
    harmless: import os, sys
    refused: import os ⏎ os.system('touch hostile')
    refused: import os ⏎ os.environ
    refused: import os ⏎ os()
    refused: import os ⏎ os.path.join('a', 'b')
    refused: import sys ⏎ sys.modules['os']
    refused: import pickle ⏎ pickle.loads('x')
    refused: import json as torch ⏎ torch.load('PATH')
    refused: import os ⏎ class A(os): pass
    refused: import os ⏎ for part in os: pass
    refused: import os ⏎ x[os]
    refused: import os ⏎ torch.save(x, os)
    refused: from os import path as p ⏎ p.exists('PATH')
    refused: from io import BytesIO ⏎ torch.save(x, BytesIO())
    refused: import inspect ⏎ inspect.currentframe()
    refused: import torch.utils.cpp_extension
    harmless: import torch as np
    harmless: import numpy as torch
    harmless: import torch.nn as torch
    refused: import numpy.ctypeslib
    refused: import builtins as F
    harmless: from os import system
    refused: from os import system ⏎ system('touch hostile')
    refused: from os import *
    harmless: from torch import *
    refused: from torch import * ⏎ load('PATH')
    refused: from torch import * ⏎ hub
    refused: from torch import hub
    refused: from torch.utils import cpp_extension
    refused: import torch.utils.data.datapipes
    refused: from torchvision import io
    refused: import torchvision.io
    refused: from copy import copyreg
    refused: from functools import singledispatch
    refused: from collections import UserDict
    refused: import tqdm.std
    refused: from warnings import sys
    refused: import warnings ⏎ warnings.sys.exit()
    refused: import copy ⏎ copy.copyreg
    refused: import collections ⏎ collections.abc.sys
    harmless: from torch.nn import functional as torch
    refused: from . import settings
    refused: from .. import playground
    refused: from playground.tensors import sandbox
    refused: if True: ⏎     import subprocess
    refused: __import__('os').system('touch hostile')
    refused: importlib.import_module('os')
    refused: exec('import os')
    refused: from __future__ import annotations
    harmless: import torch ⏎ import numpy as np ⏎ import torch.nn.functional as F
"""

DUNDERS = """
    harmless: x.__class__
    refused: x.__class__.__mro__[-1].__subclasses__()
    refused: ().__class__.__bases__[0].__subclasses__()
    harmless: ''.__class__
    harmless: (1).__class__
    refused: [].__len__()
    refused: x.__dict__
    refused: x.__init__.__globals__
    refused: torch.__dict__
    refused: torch.__builtins__
    refused: torch.__loader__
    harmless: torch.__version__.__class__
    refused: x.__class__.__bases__
    refused: x.__class__.mro()
    refused: x.__class__([1])
    refused: nn.Linear(1, 1).__class__.forward
    refused: nn.Linear(1, 1).__class__(1, 1)
    refused: torch.__class__
    refused: (lambda: 1).__class__.__call__
    refused: np.__file__
    refused: F.__spec__
    refused: __builtins__
    harmless: __name__
    refused: __name__ = 'x'
    refused: __file__
    refused: x.__name__
    refused: nn.Linear(2, 2)._modules.module
    refused: x._modules
    refused: nn.Linear(2, 2)._modules = {}
    refused: nn.Linear(2, 2)._modules['__class__'] = nn.ReLU()
    refused: nn.Linear(2, 2)._modules['forward'] = nn.ReLU()
    refused: nn.Linear(2, 2)._modules['a'] = print
    refused: torch._modules
    refused: __file__
    refused: __loader__.load_module('os')
    refused: __build_class__
    refused: __debug__
    refused: x.__class__ = int
    refused: del x.__class__
    refused: x.__setitem__(0, 1)
    refused: x.__reduce_ex__(2)
    refused: x.__array_interface__
    refused: x.__torch_function__
    refused: [1 for x.__class__ in [1]]
    refused: for x.__class__ in [1]: ⏎     pass
    refused: with x.__class__: ⏎     pass
    refused: __a__ = 1
    refused: torch.zeros(2, __class__=1)
    refused: print(x, _node=1)
    refused: x._version
    refused: x._backward_hooks
    refused: x.ｎum_py_ ⏎ x.a__class__
    refused: x.ａｐｐｌｙ_(abs)
    refused: n.__array_finfo__
    refused: x[x.__len__():]
    harmless: f'{x.__class__}'
    refused: f'{x:{x.__class__}}'
    harmless: assert x.__class__, 'a'
    refused: assert False, x.__class__
"""

REACHING = """
    harmless: torch
    refused: torch.utils.hooks
    refused: torch.utils.cpp_extension.load_inline('a', '')
    refused: torch.ops
    refused: torch.ops.load_library('a.so')
    refused: torch.ops.aten.add(x, x)
    refused: torch.load('PATH')
    harmless: torch.save(x, 'PATH') ⏎ y = torch.load('PATH')
    refused: torch.load('PATH')
    refused: torch.load('/etc/passwd')
    refused: torch.save(x, torch)
    refused: torch.hub.load('a/b', 'c')
    refused: torch.hub.download_url_to_file('http://localhost', 'PATH')
    refused: torch.jit.script(x)
    refused: torch.compile(x)
    refused: torch._C
    refused: torch._C._jit_set_profiling_mode(True)
    refused: torch.classes.load_library('a')
    refused: torch.multiprocessing.spawn(x)
    refused: torch.distributed.init_process_group('gloo')
    refused: torch.from_file('PATH', size=4)
    refused: torch.frombuffer(n, dtype=torch.uint8)
    refused: torch.UntypedStorage.from_file('PATH')
    refused: torch.set_num_threads(64)
    refused: torch.set_default_device('meta')
    refused: torch.use_deterministic_algorithms(True)
    refused: torch.package.PackageExporter('PATH')
    refused: torch.vmap(abs)
    refused: torch.Tensor.apply_(x, abs)
    refused: torch.cuda.init()
    refused: torch.os.system('touch hostile')
    refused: torch.sys.modules
    harmless: torch.nn.Linear(2, 2)
    refused: torch.nn.functional.torch
    refused: nn.functional.os
    refused: np.lib
    refused: np.lib.format.open_memmap('PATH', 'w+', shape=(3,))
    refused: np.lib.stride_tricks.as_strided(n, (9999, 9999))
    refused: np.load('PATH', allow_pickle=True)
    refused: np.save('PATH', n)
    refused: np.savez('PATH', n)
    refused: np.savetxt('PATH', n)
    refused: np.loadtxt('/etc/passwd', dtype='U99')
    refused: np.genfromtxt('/etc/passwd')
    refused: np.memmap('PATH', mode='w+', shape=(3,))
    refused: np.fromfile('/etc/passwd', dtype=np.uint8)
    refused: np.frombuffer(n)
    refused: np.frompyfunc(abs, 1, 1)
    refused: np.vectorize(abs)
    refused: np.apply_along_axis(abs, 0, n)
    refused: np.fromfunction(abs, (3, 3))
    refused: np.fromiter([1], int)
    refused: np.piecewise(n, [n > 0], [abs])
    refused: np.ndarray((3,), buffer=n)
    refused: np.ctypeslib.as_array(n)
    refused: np.f2py.compile('')
    refused: np.set_printoptions(formatter=1)
    refused: np.seterrcall(abs)
    refused: np.core.multiarray
    refused: np.random.bit_generator
    refused: np.testing.rundocs('PATH')
    refused: a = torch ⏎ a.load('PATH')
    harmless: a = torch.tensor ⏎ a(1)
    refused: a = [torch.load] ⏎ a[0]('PATH')
    refused: (torch.load if True else torch.save)('PATH')
    refused: a = np.float32 ⏎ a(3)
    refused: a = torch.Tensor ⏎ a.mro()
    refused: int.from_bytes('a')
    refused: str.format('{0}', 1)
    refused: list.__init__(1)
    refused: torch.device.type
    refused: type(x)(3)
    refused: type(x).mro()
    refused: x.untyped_storage().from_file('PATH')
    refused: x.untyped_storage()._share_filename_cpu_()
    refused: x.grad_fn.next_functions
    refused: (x.requires_grad_() * 2).grad_fn.metadata
    refused: torch.Generator().get_state()
    refused: np.random.default_rng().bit_generator
    refused: n.base
    refused: n.ctypes
    refused: n.data
    refused: n.flags
    refused: n.dtype.type(3)
    refused: n.dtype.fields
    refused: x.max(dim=0).__reduce__()
    refused: (x > 0).nonzero.func
    refused: with torch.device('meta'): ⏎     torch.ones(3)
    refused: with open('PATH', 'w'): ⏎     pass
    refused: with torch.no_grad() as a: ⏎     pass
    refused: with x: ⏎     pass
    refused: torch.no_grad(int)
    refused: torch.enable_grad(torch.Tensor)
    harmless: a = torch.__version__ ⏎ print(a > '1.0')
"""

BUILTINS = """
    refused: open('PATH', 'w').write('a')
    refused: open('/etc/passwd').read()
    refused: eval('1 + 1')
    refused: exec('a = 1')
    refused: compile('1', 'a', 'eval')
    refused: getattr(x, 'apply_')
    refused: setattr(x, 'data', 1)
    refused: delattr(x, 'data')
    refused: delattr(x, "data")
    refused: globals()
    refused: locals()['x']
    refused: vars(x)
    refused: dir(x)
    refused: input()
    refused: breakpoint()
    refused: help(x)
    refused: memoryview(n)
    refused: bytearray(9)
    refused: bytes(9)
    refused: object()
    refused: super()
    harmless: callable(x)
    harmless: iter(x)
    refused: next(x)
    harmless: map(abs, x)
    harmless: filter(abs, x)
    refused: hash(x)
    refused: exit()
    refused: quit()
    refused: type('A', (), 1)
    refused: chr(97)
    refused: a = open
    refused: [open]
    refused: torch.tensor(print)
    refused: print(eval)
    refused: print(1, file=x)
    refused: print(1, flush=True, file=1)
    harmless: sorted([1, 2], key=abs)
    harmless: max([1, 2], key=abs)
    harmless: min([1], key=print)
    harmless: a = [2, 1] ⏎ a.sort(key=int)
    harmless: a = [1] ⏎ a.sort(key=print)
    refused: sum(1, 2, 3)
    refused: isinstance(x, torch)
"""

SYNTAX = """
    harmless: f = lambda: 1
    harmless: def f(): ⏎     return 1
    refused: async def f(): ⏎     await f()
    harmless: class A: ⏎     pass
    harmless: class A(torch.nn.Module): ⏎     pass
    harmless: @print ⏎ def f(): ⏎     pass
    refused: yield 1
    refused: a = (yield)
    refused: yield from [1]
    refused: await x
    refused: return
    refused: [i async for i in x]
    refused: async for i in x: ⏎     pass
    refused: async with x: ⏎     pass
    harmless: (a := 1)
    harmless: [(a := i) for i in range(3)]
    harmless: try: ⏎     a = 1 / 0 ⏎ except: ⏎     pass
    refused: try: ⏎     while True: ⏎         pass ⏎ finally: ⏎     a = 1
    refused: try: ⏎     1 / 0 ⏎ except* ValueError: ⏎     pass
    refused: raise x
    harmless: global a
    refused: nonlocal a
    harmless: {1: 2}
    harmless: {1, 2}
    harmless: {i: i for i in range(3)}
    harmless: {i for i in range(3)}
    harmless: match x: ⏎     case torch.Tensor(shape=a): ⏎         pass
    refused: match x: ⏎     case torch.Tensor(__class__=a): ⏎         pass
    refused: match x: ⏎     case torch.Tensor(_version=a): ⏎         pass
    refused: match x: ⏎     case print(a): ⏎         pass
    refused: match x: ⏎     case __builtins__: ⏎         pass
    refused: match x: ⏎     case [*__builtins__]: ⏎         pass
    refused: match {'a': 1}: ⏎     case {**__builtins__}: ⏎         pass
    bounded: match 1: ⏎     case n if [0 for _ in range(10**5) for _ in range(10**5)]: ⏎         pass
    harmless: a: int = 1
    refused: b'abc'
    refused: torch.zeros(**x)
    refused: *a = 1
    refused: a = *x
    refused: print(*9)
    harmless: for i in x: ⏎     pass ⏎ else: ⏎     pass
    refused: break
    refused: continue
    refused: if True: ⏎     break
    refused: with torch.no_grad(): ⏎     continue
    refused: del x[0]
    refused: del x.grad
    refused: del torch
    refused: torch.zeros = 1
    refused: torch.pi += 1
    refused: x.shape = (3, 2)
    refused: x().a = 1
    refused: 'abc'[0] = 'd'
    refused: (1, 2)[0] = 3
    harmless: a = [1, 2] ⏎ a[:] = [3] * 9
    refused: 1()
    refused: (0xBIG)()
    refused: x[0xBIG] = 1
    refused: x.real(0xBIG)[0] = 1
    refused: 0xBIG
    refused: type A = int
    refused: \\x00
    harmless: *a, b = [1, 2, 3]
    harmless: a = b = [] ⏎ a.append(b) ⏎ print(a)
    harmless: torch = 3 ⏎ np = torch
    harmless: print = 5 ⏎ a = print
"""

FORMATS = """
    refused: '{0.__class__}'.format(x)
    refused: '{0[0].__class__}'.format([x])
    refused: '{.__class__}'.format(x)
    refused: '{a.shape}'.format(a=x)
    refused: '{0[__class__]}'.format(x)
    refused: '{0!r:{1}}'.format(x, '>9')
    refused: '{:{}}'.format(1, 10 ** 9)
    refused: '{0:>999999999}'.format(1)
    refused: '{:.999999999f}'.format(1.5)
    refused: '{!x}'.format(1) + 1
    refused: f'{1:999999999}'
    refused: f'{1:{10 ** 9}}'
    refused: f'{1.5:.{10 ** 9}f}'
    refused: f'{x!r:>99999999}'
    refused: '%999999999d' % 5
    refused: '%.999999999f' % 5
    refused: '%*d' % (10 ** 9, 5)
    refused: '%.*f' % (10 ** 9, 5.0)
    refused: '%(__class__)s' % x
    refused: '%(a)s' % 5
    refused: torch.__version__.format_map(x)
    refused: 'a'.encode()
    refused: 'a'.translate(x)
    refused: 'a'.ljust(10 ** 9)
    refused: 'a'.zfill(10 ** 9)
    refused: str(x, 'utf-8')
    bounded: '%400000000d' % torch.tensor(5)
    bounded: a = '%40000000d' % np.array(5)
    bounded: a = ('%999s' * 20000) % ((1,) * 20000)
    bounded: a = ('%s' * 50000) % ((torch.rand(30, 30),) * 50000)
    bounded: a = '{}' * 33000 ⏎ b = a.format(*[1] * 33000)
    bounded: torch.set_printoptions(threshold=10 ** 9, precision=200) ⏎ print(torch.rand(10 ** 6))
    bounded: torch.set_printoptions(precision=10 ** 9) ⏎ print(torch.rand(3))
"""

FILES = """
    refused: x.numpy().tofile('PATH')
    refused: n.tofile('hostile')
    refused: n.dump('PATH')
    refused: n.dumps()
    refused: n.tobytes()
    refused: n.tostring()
    refused: np.array(x).tofile('hostile')
    refused: x.share_memory_()
    refused: x.untyped_storage().share_memory_()
    refused: x.storage()
    refused: x.set_(x)
    refused: x.pin_memory()
    refused: x.cpu().share_memory_()
    refused: x.apply_(abs)
    refused: x.map_(x, max)
    refused: x.map2_(x, x, max)
    refused: x.register_hook(print)
    refused: x.register_post_accumulate_grad_hook(print)
    refused: x.retain_grad(print)
    refused: x.new(3)
    refused: x.type('os.system')
    refused: x.to('PATH')
    refused: n.setflags(write=True)
    refused: n.setfield(1, 'O')
    refused: n.view('O')
    refused: n.byteswap()
    refused: n.resize(9)
    refused: np.einsum('ij->i', n, optimize=print)
    refused: torch.einsum(print, x)
    refused: np.random.shuffle(print)
"""

LOADING = """
    refused: getattr(x, '__class__')
    refused: getattr(x, '_version')
    refused: getattr(x, 'apply_')(abs)
    refused: getattr(torch, '_C')
    refused: getattr(torch, 'ops')
    refused: getattr(torch, 'hub').load('x')
    refused: getattr(getattr, '__self__')
    refused: getattr(torch, 'load')('/etc/passwd')
    refused: getattr(nn.Linear(2, 2), '_parameters')
    refused: getattr(nn.Linear(2, 2), 'register_full_backward_hook')
    refused: getattr(x, 'a.b')
    refused: getattr(x, 1)
    refused: getattr(x, 'ＴTT__')
    refused: getattr(lambda: 1, 'scope')
    refused: getattr(print, 'name')
    refused: hasattr(x, '__class__')
    refused: setattr(x, '__class__', 1)
    refused: setattr(x, 'shape', 1)
    refused: setattr(torch, 'load', print)
    refused: setattr(nn.Linear(2, 2), 'forward', print)
    refused: setattr(nn.Linear(2, 2), '_parameters', {})
    refused: setattr(print, 'name', 'open')
    refused: nn.Linear(2, 2).register_forward_hook(lambda m, i, o: m.__class__)(1)
    refused: net = nn.Linear(2, 2) ⏎ net.register_forward_hook(lambda m, i, o: o.apply_(abs)) ⏎ net(torch.ones(1, 2))
    refused: net = nn.Linear(2, 2) ⏎ net.register_forward_hook(lambda m, i, o: print) ⏎ net(torch.ones(1, 2)) + 1
    bounded: net = nn.Linear(2, 2) ⏎ net.register_forward_hook(lambda m, i, o: m(o)) ⏎ net(torch.ones(1, 2))
    bounded: net = nn.Linear(2, 2) ⏎ net.apply(lambda m: net.apply(print and (lambda n: [0 for _ in range(10 ** 5) for _ in range(10 ** 5)])))
    refused: net = nn.Linear(2, 2) ⏎ for i in range(200): net.register_forward_hook(print)
    refused: opt = torch.optim.LBFGS([torch.ones(2, requires_grad=True)]) ⏎ opt.step(abs)
    refused: opt = torch.optim.SGD([torch.ones(2, requires_grad=True)], 1.0) ⏎ opt.step('os.system')
    refused: opt = torch.optim.SGD([torch.ones(2, requires_grad=True)], 1.0) ⏎ torch.optim.lr_scheduler.LambdaLR(opt, lambda e: 'a').step() ⏎ opt.step()
    bounded: opt = torch.optim.LBFGS([torch.ones(2, requires_grad=True)]) ⏎ opt.step(lambda: opt.step(lambda: [0 for _ in range(10**5) for _ in range(10**5)]))
    refused: from torch.utils.data import DataLoader ⏎ list(DataLoader([1], collate_fn='os.system'))
    refused: from torch.utils.data import DataLoader ⏎ list(DataLoader([print]))
    refused: from torch.utils.data import DataLoader ⏎ DataLoader([1])._iterator
    refused: from torch.utils.data import DataLoader ⏎ DataLoader([1]).__class__.__init__
    refused: from torch.utils.data import DataLoader ⏎ DataLoader([1]).multiprocessing_context
    refused: from torch.utils.data import DataLoader ⏎ DataLoader([1]).collate_fn(1)
    refused: from torch.utils.data import DataLoader ⏎ DataLoader.__init__
    harmless: from torch.utils.data import DataLoader ⏎ DataLoader([1]).dataset.append(2)
    harmless: from torch.utils.data import DataLoader ⏎ list(DataLoader([1, 2], num_workers=99, worker_init_fn=print, pin_memory=True))
    harmless: from torch.utils.data import DataLoader ⏎ list(DataLoader([1, 2], collate_fn=lambda items: print))
    refused: from torch.utils.data import DataLoader ⏎ list(DataLoader([1, 2], collate_fn=lambda items: items.__class__.__base__))
    refused: from torch.utils.data import DataLoader ⏎ list(DataLoader([1, 2], sampler=print))
    refused: from torch.utils.data import DataLoader ⏎ list(DataLoader([1, 2], batch_size='1'))
    refused: from torch.utils.data import Dataset ⏎ Dataset.__add__
    refused: from torch.utils.data import Dataset ⏎ Dataset()._x
    refused: from torch.utils.data import TensorDataset ⏎ TensorDataset(x).tensors[0].apply_(abs)
    refused: from torch.utils.data import TensorDataset ⏎ TensorDataset(print)
    refused: from torch.utils.data import TensorDataset ⏎ TensorDataset(x).__getitem__.x
    refused: from torch.utils.data import get_worker_info
    refused: torch.utils.data._utils
    refused: torch.utils.data.dataloader.multiprocessing
    refused: from torch.utils.data import Subset ⏎ Subset([print], [0])[0].name
    refused: from torch.utils.data import random_split ⏎ random_split(print, [1])
    refused: from torchvision import transforms ⏎ transforms.Lambda(print).lambd
    refused: from torchvision import transforms ⏎ transforms.Lambda('os.system')(x)
    refused: from torchvision import transforms ⏎ transforms.Compose([print])(x)
    refused: from torchvision import transforms ⏎ transforms.Compose('abc')(x)
    refused: from torchvision import transforms ⏎ transforms.ToTensor()('PATH')
    refused: from torchvision import transforms ⏎ transforms.ToPILImage()(x).save('PATH')
    refused: from torchvision import transforms ⏎ transforms.ToPILImage()(x).show()
    refused: from torchvision import transforms ⏎ transforms.ToPILImage()(x).tobytes()
    refused: from torchvision import transforms ⏎ transforms.functional
    refused: from torchvision import transforms ⏎ transforms.transforms.sys
    refused: from torchvision import datasets ⏎ datasets.ImageFolder('/')
    refused: from torchvision import datasets ⏎ datasets.FakeData()
    refused: from torchvision import datasets ⏎ datasets.MNIST('data').raw_folder
    refused: from torchvision import datasets ⏎ datasets.MNIST('data', loader=print)
    refused: import torchvision ⏎ torchvision.io.read_file('/etc/passwd')
    refused: import torchvision ⏎ torchvision.utils.save_image(x, 'PATH')
    refused: import torchvision ⏎ torchvision.utils.make_grid(print)
    refused: import torchvision ⏎ torchvision.models.resnet18(pretrained=True)
    refused: import copy ⏎ copy.deepcopy(print).x
    refused: import copy ⏎ copy.deepcopy(nn.Linear(2, 2)).__deepcopy__
    bounded: import copy ⏎ l = [] ⏎ l.append(l) ⏎ m = copy.deepcopy(l)
    harmless: import copy ⏎ net = copy.deepcopy(nn.Sequential(nn.Linear(2, 2), nn.ReLU()))
    refused: import functools ⏎ functools.partial(print).func.x
    refused: import functools ⏎ functools.partial(print, 1).__self__
    refused: import functools ⏎ functools.reduce(print, [])
    refused: import itertools ⏎ itertools.tee([1])
    refused: import itertools ⏎ itertools.count('a')
    refused: import collections ⏎ collections.defaultdict(print).default_factory
    refused: import collections ⏎ collections.namedtuple('A', 'x')
    refused: import collections ⏎ collections.Counter([[1]])
    refused: import tqdm ⏎ tqdm.tqdm([1]).fp
    refused: torch.nn.utils.clip_grad_norm_([print], 1)
    refused: torch.nn.utils.clip_grad_norm_(x, print)
    refused: torch.nn.utils.parameters_to_vector.x
"""

OWN_FUNCTION = (
    "class F(torch.autograd.Function): ⏎     @staticmethod ⏎     def forward(ctx, x): {} ⏎     @staticmethod ⏎     def backward(ctx, g): {} ⏎ "
    "y = F.apply(torch.ones(2, requires_grad=True)) ⏎ y.sum().backward()"
)
FORWARDS = ("return ctx", "return print", "ctx.save_for_backward(print); return x * 1", "return x.apply_(abs)", "ctx.inner", "ctx.attributes", "ctx.read('a')")
BACKWARDS = ("ctx.__class__", "ctx._raw_saved_tensors", "print", "'os.system'", "g.apply_(abs)", "ctx.maybe_clear_saved_tensors()", "ctx.register_hook(abs)")
ENDLESS = "return [0 for _ in range(10**5) for _ in range(10**5)]"
OWN_FUNCTIONS = "\n".join([
    *(f"refused: {OWN_FUNCTION.format(forward, 'return g')}" for forward in FORWARDS),
    *(f"refused: {OWN_FUNCTION.format('return x * 1', f'return {backward}')}" for backward in BACKWARDS),
    *(f"bounded: {OWN_FUNCTION.format(*pair)}" for pair in (("return F.apply(x)", "return g"), (ENDLESS, "return g"), ("return x * 1", ENDLESS))),
])  # fmt: skip

DTYPES = """
    refused: np.array([None])
    refused: np.array([x, None])
    refused: np.array(['a' * 999])
    refused: np.array([[1], [2, 3]])
    refused: np.array([1], dtype='O')
    refused: np.array([1], 'object')
    refused: np.zeros(3, 'U999999999')
    refused: np.zeros(3, dtype='S9')
    refused: np.zeros(3, 'V100000000')
    refused: np.zeros(3, 'M8[s]')
    refused: np.zeros(3, 'f8,O')
    refused: np.zeros(3, [('a', 'f8', (9,)), ('b', 'O')])
    refused: np.zeros(3, dtype=(float, (10 ** 9,)))
    refused: np.zeros(3, dtype=str)
    refused: np.zeros(3, dtype=list)
    refused: n.astype('O')
    refused: n.astype(str)
    refused: np.full(3, None)
    refused: np.full((3,), 'a')
    refused: np.dtype('O')
    refused: np.dtype([('a', 'O')])
    refused: np.dtype(np.ndarray)
    refused: np.dtype((float, (10 ** 6,)))
    refused: np.zeros(2, dtype=np.ndarray)
    refused: np.zeros(2, dtype=torch.Tensor)
    refused: np.array([2 ** 4000])
    refused: np.array([1.5, 2.5]).astype(np.dtype(np.ndarray))
    refused: torch.tensor(np.array([None]))
    refused: torch.tensor([None])
    refused: torch.tensor('abc')
    refused: torch.zeros(2, dtype='O')
    refused: torch.zeros(2, layout=torch.sparse_coo)
    refused: torch.zeros(2, device='meta')
    refused: torch.device('meta:999999999999')
    refused: x.to('meta')
    refused: x.to('cuda:99')
    refused: x.cuda(99)
    refused: x.to('mkldnn')
    refused: torch.zeros(2, device='privateuseone')
    refused: torch.zeros(2, device='xpu')
    refused: torch.Generator('cuda:99')
    refused: a = [np.zeros(1) + 0 for i in range(50)] and np.zeros(2, dtype='>f4')
    bounded: np.power(10, 10 ** 9, dtype=np.ndarray)
    bounded: np.prod(np.arange(1, 10 ** 6), dtype=np.dtype(np.ndarray))
    harmless: a = np.zeros(2, dtype='longdouble') + 1
"""


@dataclass(frozen=True)
class Attack:
    """One script of the table."""

    group: str
    expected: str
    source: str

    def __str__(self) -> str:
        return re.sub(r"\W+", "-", f"{self.group} {self.source}").strip("-")[:70]


def table(**groups: str) -> list[Attack]:
    rows = [(group, *line.strip().split(": ", 1)) for group, text in groups.items() for line in text.splitlines() if line.strip()]
    return [Attack(group, expected, source) for group, expected, source in rows]


@dataclass(frozen=True)
class Outcome:
    """What a script came to; the answer itself is not kept."""

    ended: str
    """Why there is no answer; empty where there is one."""
    error: str | None
    output: str
    wrong: tuple[str, ...]
    """What no answer may have, whatever was asked."""


class Bench:
    """Runs attacks as the server does, two processes at a time.

    Args:
        forker: forks the processes; there is something to find in its environment.
        folder: where attacks try to write.
    """

    def __init__(self, forker: Forker, folder: Path) -> None:
        self._forker = forker
        self._sandbox = Sandbox(forker.start, 2)
        self.folder = folder
        self.run("a = torch.ones(3)")

    def run(self, source: str, seconds: float = SECONDS) -> dict[str, Any]:
        """Run a script in a process of its own."""
        (answer,) = self._answers([source], seconds)
        return answer

    def outcomes(self, attacks: list[Attack], seconds: float = SECONDS) -> dict[Attack, Outcome]:
        """Run attacks, those that may end their process in a process of their own.

        Args:
            attacks: the lines of a table.
            seconds: limit for each script that may end its process; all others are held to what the playground allows.
        """
        alone = [attack for attack in attacks if attack.expected == "bounded"]
        others = [attack for attack in attacks if attack.expected != "bounded"]
        groups = [others[first : first + TOGETHER] for first in range(0, len(others), TOGETHER)]
        with ThreadPoolExecutor(2) as pool:
            bounded = dict(zip(alone, pool.map(lambda attack: self._outcome(attack, seconds), alone), strict=True))
            together = [outcome for group in pool.map(self._outcomes, groups) for outcome in group]
        return bounded | dict(zip(others, together, strict=True))

    def resident(self) -> dict[str, float]:
        """Mebibytes in memory, of this process and of the forking one."""
        gc.collect()
        forking = self._forker._process
        assert forking is not None
        pages = {name: Path(f"/proc/{pid}/status").read_text() for name, pid in {"server": "self", "forking": forking.pid}.items()}
        return {name: int(re.search(r"VmRSS:\s+(\d+)", text)[1]) / 1024 for name, text in pages.items()}  # type: ignore[index]

    def _answers(self, sources: list[str], seconds: float) -> list[dict[str, Any]]:
        request = {"sources": sources, "seconds": seconds}
        answers: list[dict[str, Any]] = self._sandbox.run(RUN_SCRIPTS, request, seconds + REPORT_SECONDS)["answers"]
        return answers

    def _source(self, attack: Attack) -> str:
        source = (HEAD + attack.source).replace(" ⏎ ", "\n").replace("PATH", str(self.folder / "hostile"))
        return source.replace("BIG", "F" * 9000).replace("\\x00", "\0")

    def _outcomes(self, attacks: list[Attack]) -> list[Outcome]:
        """Run attacks in one process, in the time of one; if it ends, each in a process of its own."""
        try:
            return [completed(answer) for answer in self._answers([self._source(attack) for attack in attacks], SECONDS)]
        except PlaygroundError:
            return [self._outcome(attack, SECONDS) for attack in attacks]

    def _outcome(self, attack: Attack, seconds: float) -> Outcome:
        try:
            return completed(self.run(self._source(attack), seconds))
        except PlaygroundError as error:
            return Outcome(error.message, None, "", ())


def completed(answer: dict[str, Any]) -> Outcome:
    error = answer["error"]
    return Outcome("", error and error["message"], answer["output"], tuple(faults(answer)))


def faults(answer: dict[str, Any]) -> Iterator[str]:
    """What is wrong with an answer: too long, telling of the process around it, or of memory that is not the script's."""
    text = json.dumps(answer)
    if len(text) > ANSWER:
        yield f"the answer has {len(text):,} characters"
    if MARKER in text:
        yield "the environment shows"
    taken = {}
    for tile in answer.get("tiles", ()):
        last = tile["first"] + sum((size - 1) * max(0, stride) for size, stride in zip(tile["shape"], tile["strides"], strict=True))
        if math.prod(tile["shape"]) and last >= tile["slots"]:
            yield f"a tensor of shape {tile['shape']} reaches beyond its {tile['slots']} cells of memory"
        taken[tile["slots"], tile["itemsize"]] = tile["slots"] * tile["itemsize"]
    if max(taken.values(), default=0) > Bounds().memory:
        yield f"a tensor of {max(taken.values()) // MIB} MiB was made"


def judge(attack: Attack, outcome: Outcome) -> None:
    assert not outcome.wrong
    if attack.expected == "refused":
        assert not outcome.ended
        assert outcome.error
        assert not outcome.output
    elif attack.expected == "harmless":
        assert not outcome.ended
        assert outcome.error is None


@pytest.fixture(scope="module")
def bench(forker: Forker, tmp_path_factory: pytest.TempPathFactory) -> Bench:
    return Bench(forker, tmp_path_factory.mktemp("hostile"))


REACH = table(
    imports=IMPORTS, dunders=DUNDERS, reaching=REACHING, builtins=BUILTINS, syntax=SYNTAX, formats=FORMATS, files=FILES, dtypes=DTYPES, loading=LOADING,
    own_functions=OWN_FUNCTIONS,
)  # fmt: skip


@pytest.fixture(scope="module")
def reached(bench: Bench) -> dict[Attack, Outcome]:
    return bench.outcomes(REACH)


@pytest.mark.parametrize("attack", REACH, ids=str)
def test_nothing_is_reached_that_is_not_on_the_list(reached: dict[Attack, Outcome], attack: Attack) -> None:
    judge(attack, reached[attack])


def test_no_file_appears(bench: Bench, reached: dict[Attack, Outcome]) -> None:
    assert not list(bench.folder.iterdir())
    assert not list(environment.ROOT.glob("hostile*"))
