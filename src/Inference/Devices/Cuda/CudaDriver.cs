using System.Runtime.InteropServices;
using System.Text;

namespace Detection.Inference.Devices.Cuda;

/// <summary>A GPU as the driver reports it.</summary>
/// <param name="Index">Its index, in the order of CUDA_VISIBLE_DEVICES.</param>
/// <param name="Id">Its UUID, the same for every process on every machine.</param>
/// <param name="Name">Name for people.</param>
internal sealed record Gpu(int Index, string Id, string Name);

/// <summary>Asks NVIDIA's driver for the GPUs. Needs no CUDA toolkit.</summary>
internal static unsafe class CudaDriver
{
    /// <summary>The GPUs; none without a driver.</summary>
    public static IReadOnlyList<Gpu> FindGpus()
    {
        string library = OperatingSystem.IsWindows() ? "nvcuda.dll" : "libcuda.so.1";
        if (!NativeLibrary.TryLoad(library, out nint driver))
        {
            return [];
        }

        // The driver stays loaded, because ONNX Runtime uses it too.
        if (!TryGet(driver, "cuInit", out nint init)
            || !TryGet(driver, "cuDeviceGetCount", out nint getCount)
            || !TryGet(driver, "cuDeviceGet", out nint get)
            || !TryGet(driver, "cuDeviceGetName", out nint getName)
            || !(TryGet(driver, "cuDeviceGetUuid_v2", out nint getUuid) || TryGet(driver, "cuDeviceGetUuid", out getUuid)))
        {
            return [];
        }

        int count;
        if (((delegate* unmanaged<uint, int>)init)(0) != 0 || ((delegate* unmanaged<int*, int>)getCount)(&count) != 0)
        {
            return [];
        }

        var gpus = new List<Gpu>();
        byte* text = stackalloc byte[256];
        Span<byte> uuid = stackalloc byte[16];
        for (int i = 0; i < count; i++)
        {
            int device;
            if (((delegate* unmanaged<int*, int, int>)get)(&device, i) != 0)
            {
                continue;
            }

            string name = ((delegate* unmanaged<byte*, int, int, int>)getName)(text, 256, device) == 0
                ? Encoding.UTF8.GetString(MemoryMarshal.CreateReadOnlySpanFromNullTerminated(text))
                : "GPU";
            fixed (byte* bytes = uuid)
            {
                string id = ((delegate* unmanaged<byte*, int, int>)getUuid)(bytes, device) == 0
                    ? "GPU-" + new Guid(uuid, bigEndian: true).ToString()
                    : $"cuda:{i}";
                gpus.Add(new Gpu(i, id, name));
            }
        }

        return gpus;
    }

    private static bool TryGet(nint driver, string function, out nint address) =>
        NativeLibrary.TryGetExport(driver, function, out address);
}
