using Detection.Frontend;
using Detection.Hosting;

return await ProgramRun.RunAsync(() => FrontendApplication.Create(args));
