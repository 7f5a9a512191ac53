using Detection.Inference.Devices;
using Detection.Inference.Devices.Discovery;
using Detection.Inference.Pictures;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.ML.OnnxRuntime;

namespace Detection.Inference.Tests.Devices.Discovery;

public sealed class DeviceDiscoveryTests
{
    [Fact]
    public async Task Auto_uses_the_cpu_when_no_gpu_works()
    {
        SkipWithCuda();
        var found = Open("auto");

        var device = Assert.Single(found.Devices);
        Assert.Equal("cpu", device.Name);
        await device.DisposeAsync();
    }

    [Fact]
    public void Named_gpu_is_a_problem_in_a_build_for_the_cpu()
    {
        SkipWithCuda();
        var found = Open("cuda:0");

        Assert.Empty(found.Devices);
        string problem = Assert.Single(found.Problems);
        Assert.StartsWith("cuda:0", problem, StringComparison.Ordinal);
        Assert.Contains("-p:Accelerator=cuda", problem, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("none")]
    [InlineData("")]
    public void None_opens_no_device(string devices)
    {
        var found = Open(devices);

        Assert.Empty(found.Devices);
        Assert.Empty(found.Problems);
    }

    [Fact]
    public void Provider_that_agrees_with_the_cpu_works()
    {
        using var works = new CpuProvider();
        using var wrong = new CpuProvider { Replace = ("w", Other) };

        Assert.Null(ProviderProbe.FindProblem(works));
        Assert.Contains("differently from the CPU", ProviderProbe.FindProblem(wrong), StringComparison.Ordinal);

        static OrtValue Other() => OrtValue.CreateTensorValueFromMemory(
            Enumerable.Repeat(0.5f, 4 * 3 * 3 * 3).ToArray(),
            [4, 3, 3, 3]);
    }

    [Theory]
    [InlineData("auto")]
    [InlineData("none")]
    [InlineData("cpu")]
    [InlineData("cuda:0, cuda:1,cpu")]
    public void Valid_devices(string devices) => Assert.True(Validate(new DeviceOptions { Devices = devices }).Succeeded);

    [Theory]
    [InlineData("gpu")]
    [InlineData("cuda")]
    [InlineData("cuda:-1")]
    [InlineData("auto,cpu")]
    [InlineData("cpu,cpu")]
    public void Invalid_devices(string devices) => Assert.Contains(
        "Devices",
        Validate(new DeviceOptions { Devices = devices }).FailureMessage,
        StringComparison.Ordinal);

    private static DeviceSet Open(string devices) => new DeviceDiscovery(
        new DeviceOptions { Devices = devices, CpuWorkers = 1 },
        TimeProvider.System,
        NullLoggerFactory.Instance).Open();

    private static Microsoft.Extensions.Options.ValidateOptionsResult Validate(DeviceOptions options) =>
        new DeviceOptionsValidator().Validate(null, options);

    private static void SkipWithCuda() => Assert.SkipWhen(
        OrtEnv.Instance().GetAvailableProviders().Contains("CUDAExecutionProvider"),
        "This build has CUDA.");
}
