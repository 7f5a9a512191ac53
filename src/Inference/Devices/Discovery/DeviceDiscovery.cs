using Detection.Inference.Devices.Batched;
using Detection.Inference.Devices.Cpu;
using Detection.Inference.Devices.Cuda;
using Microsoft.Extensions.Logging;
using Microsoft.ML.OnnxRuntime;

namespace Detection.Inference.Devices.Discovery;

/// <summary>
/// Finds out which devices work. That a provider is part of the program says nothing about the machine, so each GPU runs a small graph, and its
/// outputs are compared with the CPU's.
/// </summary>
/// <param name="options">Settings of devices.</param>
/// <param name="time">Clock for deadlines.</param>
/// <param name="loggers">Logs.</param>
/// <param name="loadTimeout">Time limit for loading a model; <see langword="null"/> for 5 minutes.</param>
public sealed class DeviceDiscovery(DeviceOptions options, TimeProvider time, ILoggerFactory loggers, TimeSpan? loadTimeout = null)
{
    private readonly ILogger _logger = loggers.CreateLogger<DeviceDiscovery>();

    /// <summary>Whether this program was built with the ONNX Runtime for GPUs.</summary>
    public static bool IsBuiltForCuda => OrtEnv.Instance().GetAvailableProviders().Contains("CUDAExecutionProvider");

    /// <summary>
    /// Opens the devices that <see cref="DeviceOptions.Devices"/> names. With <c>auto</c> the CPU is used when no GPU works. A GPU that is named and
    /// does not work is a problem, and is not replaced.
    /// </summary>
    public DeviceSet Open()
    {
        options.LoadTimeout = loadTimeout ?? options.LoadTimeout;
        var devices = new List<IInferenceDevice>();
        var problems = new List<string>();
        var names = options.SplitNames();
        var gpus = names is ["none"] or [] or ["cpu"] ? [] : CudaDriver.FindGpus();
        if (names is ["auto"])
        {
            foreach (var gpu in gpus)
            {
                Add(OpenGpu(gpu, problems));
            }

            if (devices.Count == 0)
            {
                devices.Add(OpenCpu());
            }
        }
        else
        {
            foreach (string name in names)
            {
                if (name == "cpu")
                {
                    devices.Add(OpenCpu());
                }
                else if (DeviceName.CudaIndex(name) is { } index)
                {
                    // Without a driver, the attempt below reports what is missing.
                    Add(OpenGpu(gpus.FirstOrDefault(gpu => gpu.Index == index) ?? new Gpu(index, name, "GPU"), problems));
                }
            }
        }

        foreach (var device in devices)
        {
            DeviceLog.Opened(_logger, device.Name, device.Description, device.HardwareId);
        }

        foreach (string problem in problems)
        {
            DeviceLog.NotUsable(_logger, problem);
        }

        return new DeviceSet(devices, problems);

        void Add(IInferenceDevice? device)
        {
            if (device is not null)
            {
                devices.Add(device);
            }
        }
    }

    private CpuDevice OpenCpu() => new(options, time, loggers.CreateLogger<CpuDevice>());

    private BatchDevice? OpenGpu(Gpu gpu, List<string> problems)
    {
        var provider = new CudaProvider(gpu.Index, options.Cuda);
        if (ProviderProbe.FindProblem(provider) is { } problem)
        {
            problems.Add($"cuda:{gpu.Index} ({gpu.Name}) is not used: {problem}");
            return null;
        }

        return new BatchDevice(
            $"cuda:{gpu.Index}",
            gpu.Id,
            gpu.Name,
            provider,
            options,
            time,
            loggers.CreateLogger<BatchDevice>());
    }
}
