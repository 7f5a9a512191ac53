using BenchmarkDotNet.Running;

// All: dotnet run -c Release --project bench/Micro -- --filter '*' --job short
// In this process: nothing is built anew, and native libraries and models lie where the build put them.
BenchmarkSwitcher.FromAssembly(typeof(Program).Assembly).Run(["--inProcess", "--memory", .. args]);
