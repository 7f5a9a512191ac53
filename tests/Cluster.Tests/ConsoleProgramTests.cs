using System.Reflection;

namespace Detection.Cluster.Tests;

/// <summary>
/// A console program that embeds the client, as a process (<c>tests/ConsoleClient</c>). Users of Orleans reported the same: dotnet/orleans#3094.
/// </summary>
public sealed class ConsoleProgramTests(ClusterFixture fixture) : IClassFixture<ClusterFixture>
{
    private static readonly string PictureFile = TestPictures.Path("tourist.webp");

    [Theory]
    [InlineData("before", "waiting")]
    [InlineData("during", "asking again")]
    [InlineData("after", "waiting")]
    public async Task Ctrl_C_and_SIGTERM_end_the_program_in_each_stage(string stage, string sign)
    {
        foreach (var interrupts in new[] { true, false })
        {
            await using var program = Start(stage);
            await Eventually.Async(() => program.Log.Contains(sign, StringComparison.Ordinal), Eventually.Soon, $"the program says '{sign}'");

            var exitCode = interrupts ? await program.InterruptAsync() : await program.StopAsync();

            Assert.Equal(interrupts ? 130 : 143, exitCode);
            Assert.DoesNotMatch("Orleans|Microsoft|Application started", program.Log);
        }
    }

    [Fact]
    public async Task Program_ends_after_using_and_its_log_has_only_its_own_lines()
    {
        await using var program = Start("end");

        await program.ExitAsync(TimeSpan.FromSeconds(60));

        Assert.True(program.ExitCode == 0, program.Log);
        Assert.Equal("asking\nanswer: 2 objects", program.Log.Trim());
    }

    private ChildProcess Start(string stage)
    {
        var configuration = typeof(DetectionCluster).Assembly.GetCustomAttribute<AssemblyConfigurationAttribute>()!.Configuration;
        var framework = Path.GetFileName(Path.TrimEndingDirectorySeparator(AppContext.BaseDirectory));
        var program = Path.Combine(Repository.Root, "tests", "ConsoleClient", "bin", configuration, framework, "Detection.ConsoleClient.dll");
        return ChildProcess.Start(
            $"console program ({stage})",
            "dotnet",
            [program, stage, PictureFile],
            new Dictionary<string, string?>(fixture.Cluster.Redis.ClientEnvironment) { [DetectionSettings.Redis] = fixture.Cluster.Redis.ConnectionString });
    }
}
